"""Tables of email: word for word those of ../../migrations, so that either implementation takes over from the other."""

from weft_runtime.events.event_tables import CREATE_EVENT_TABLES
from weft_runtime.storage.database import Migration

migrations = (
    Migration(
        "Migration20261122000000Initial",
        (
            """create table recipients (
      user_id uuid primary key,
      address text not null,
      display_name text not null
    )""",
            """create table placed_orders (
      order_id uuid primary key,
      placed_at timestamptz not null
    )""",
            """create table emails (
      id uuid primary key,
      event_id text not null unique,
      kind text not null check (kind in ('ORDER_CONFIRMATION', 'ORDER_CANCELLATION')),
      order_id uuid not null,
      order_version bigint not null,
      customer_id uuid not null,
      "order" jsonb not null,
      occurred_at timestamptz not null,
      attempts integer not null default 0,
      next_try_at timestamptz not null default now(),
      recipient text,
      subject text,
      sent_at timestamptz check (sent_at is null or (recipient is not null and subject is not null)),
      unique (order_id, kind)
    )""",
            "create index emails_waiting on emails (next_try_at) where sent_at is null",
            "create index emails_sent on emails (sent_at, id) where sent_at is not null",
            *CREATE_EVENT_TABLES,
        ),
    ),
    # Mails that waited before have none: their sending begins a trace of its own.
    Migration(
        "Migration20261127000000TraceIds",
        ("alter table emails add column request_id text, add column traceparent text",),
    ),
)
