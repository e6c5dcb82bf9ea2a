create table {{things_}} (
  id uuid primary key,
  owner_id uuid not null,
  title text not null,
  text text not null,
  created_at timestamptz not null
);

create index {{things_}}_of_owner on {{things_}} (owner_id, id desc);

create table {{thing_}}_stats (
  owner_id uuid primary key,
  created bigint not null check (created > 0)
);

