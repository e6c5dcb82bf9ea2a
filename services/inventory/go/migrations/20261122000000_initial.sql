create table stock (
  product_id uuid primary key,
  available integer not null check (available >= 0),
  reserved integer not null default 0 check (reserved >= 0),
  sold integer not null default 0 check (sold >= 0),
  version bigint not null default 0,
  updated_at timestamptz not null
);

create table reservations (
  order_id uuid primary key,
  status text not null check (status in ('RESERVED', 'COMMITTED', 'RELEASED')),
  items jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
