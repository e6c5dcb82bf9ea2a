import { Migration } from "@mikro-orm/migrations";
import { createEventTables } from "#mesh/runtime/events/migration.ts";

export class Migration20261122000000Initial extends Migration {
  override up(): void {
    this.addSql(`create table orders (
      id uuid primary key,
      customer_id uuid not null,
      idempotency_key text not null,
      request_hash text not null,
      status text not null check (status in ('PENDING', 'RESERVED', 'PAID', 'CONFIRMED', 'COMPENSATING', 'CANCELLED')),
      cancel_reason text check (cancel_reason in ('REQUESTED', 'OUT_OF_STOCK', 'PAYMENT_DECLINED', 'TIMED_OUT')),
      items jsonb not null,
      total jsonb not null,
      payment_token text,
      version bigint not null,
      attempts integer not null default 0,
      next_step_at timestamptz,
      step_deadline timestamptz,
      request_id text not null,
      traceparent text not null,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      unique (customer_id, idempotency_key),
      check ((status in ('CONFIRMED', 'CANCELLED')) = (next_step_at is null)),
      check ((status in ('COMPENSATING', 'CANCELLED')) = (cancel_reason is not null))
    )`);
    this.addSql("create index orders_by_customer on orders (customer_id, id desc)");
    this.addSql("create index orders_due on orders (next_step_at) where next_step_at is not null");
    for (const sql of createEventTables) this.addSql(sql);
  }
}
