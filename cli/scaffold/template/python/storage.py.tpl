"""Tables of {{name}}."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from weft_runtime.events.event_tables import CREATE_EVENT_TABLES
from weft_runtime.idempotency.stored_replies import CREATE_STORED_REPLIES
from weft_runtime.storage.database import Migration


@dataclass(frozen=True, slots=True)
class {{Thing}}Row:
    """{{A_words}}."""

    id: UUID
    owner_id: UUID
    title: str
    text: str
    created_at: datetime


migrations = (
    Migration(
        "Migration{{stamp}}Initial",
        (
            """create table {{things_}} (
                 id uuid primary key,
                 owner_id uuid not null,
                 title text not null,
                 text text not null,
                 created_at timestamptz not null
               )""",
            "create index {{things_}}_of_owner on {{things_}} (owner_id, id desc)",
            """create table {{thing_}}_stats (
                 owner_id uuid primary key,
                 created bigint not null check (created > 0)
               )""",
            *CREATE_EVENT_TABLES,
            *CREATE_STORED_REPLIES,
        ),
    ),
)
