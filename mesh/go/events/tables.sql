-- The tables of the events runtime, the same as those of mesh/runtime/events/migration.ts, which says what they
-- are for; test/polyglot compares the two.
create table outbox (
  id uuid primary key,
  position bigint generated always as identity,
  type text not null,
  subject text not null,
  stream text not null,
  key text not null,
  version numeric(20),
  payload bytea not null,
  headers jsonb not null,
  partition smallint not null check (partition between 0 and 15),
  created_at timestamptz not null,
  published_at timestamptz,
  stream_sequence bigint
) with (autovacuum_vacuum_scale_factor = 0.05);

create index outbox_unpublished on outbox (partition, position) where published_at is null;

create index outbox_published on outbox (stream, stream_sequence) where published_at is not null;

create table outbox_streams (
  stream text primary key,
  created_at text not null
);

create table inbox (
  consumer text not null,
  event_id text not null,
  seen_at timestamptz not null default now(),
  primary key (consumer, event_id)
);

create index inbox_seen_at on inbox (seen_at);

create table dead_letters (
  id uuid primary key,
  consumer text not null,
  event_id text not null,
  type text not null,
  subject text not null,
  key text not null,
  payload bytea not null,
  headers jsonb not null,
  cause text not null,
  attempts integer not null,
  history jsonb not null,
  state text not null check (state in ('retrying', 'open', 'replayed', 'dropped')),
  stream text not null,
  stream_sequence bigint not null,
  first_seen_at timestamptz not null default now(),
  last_failed_at timestamptz not null default now(),
  dead_at timestamptz,
  settled_at timestamptz,
  settled_by text,
  unique (consumer, event_id)
);

create index dead_letters_state on dead_letters (state, last_failed_at);
