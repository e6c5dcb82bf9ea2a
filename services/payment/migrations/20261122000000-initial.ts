import { Migration } from "@mikro-orm/migrations";
import { createEventTables } from "#mesh/runtime/events/migration.ts";

export class Migration20261122000000Initial extends Migration {
  override up(): void {
    this.addSql(`create table payments (
      order_id uuid primary key,
      customer_id uuid not null,
      command_id text unique,
      status text not null check (status in ('PENDING', 'CHARGED', 'DECLINED', 'REFUNDED', 'VOIDED')),
      currency_code text,
      units bigint,
      nanos integer,
      decline_code text not null default '',
      refund_requested boolean not null default false,
      asked_at timestamptz,
      next_check_at timestamptz,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      check (command_id is not null or status = 'VOIDED'),
      check (command_id is null or (currency_code is not null and units >= 0 and nanos >= 0 and asked_at is not null)),
      check (status not in ('REFUNDED', 'VOIDED') or refund_requested)
    )`);
    this.addSql(`create index payments_to_check on payments (next_check_at) where next_check_at is not null`);
    for (const sql of createEventTables) this.addSql(sql);
  }
}
