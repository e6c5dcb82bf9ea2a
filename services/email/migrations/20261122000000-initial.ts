import { Migration } from "@mikro-orm/migrations";
import { createEventTables } from "#mesh/runtime/events/migration.ts";

export class Migration20261122000000Initial extends Migration {
  override up(): void {
    this.addSql(`create table recipients (
      user_id uuid primary key,
      address text not null,
      display_name text not null
    )`);
    this.addSql(`create table placed_orders (
      order_id uuid primary key,
      placed_at timestamptz not null
    )`);
    this.addSql(`create table emails (
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
    )`);
    this.addSql(`create index emails_waiting on emails (next_try_at) where sent_at is null`);
    this.addSql(`create index emails_sent on emails (sent_at, id) where sent_at is not null`);
    for (const sql of createEventTables) this.addSql(sql);
  }
}
