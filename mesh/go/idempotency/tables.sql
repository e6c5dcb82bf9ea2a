-- The same as mesh/runtime/idempotency/stored-replies.ts.
create table stored_replies (
  user_id text not null,
  route text not null,
  key text not null,
  fingerprint bytea not null,
  reply bytea not null,
  created_at timestamptz not null default now(),
  primary key (user_id, route, key)
);

create index stored_replies_created_at on stored_replies (created_at);
