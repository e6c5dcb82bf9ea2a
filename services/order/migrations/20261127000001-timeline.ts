import { Migration } from "@mikro-orm/migrations";

/** What the checkout of each order tried; see timeline.ts. */
export class Migration20261127000001Timeline extends Migration {
  override up(): void {
    this.addSql(`create table order_steps (
      order_id uuid not null references orders (id),
      step text not null check (step in
        ('PLACE', 'RESERVE', 'CHARGE', 'QUERY_CHARGE', 'COMMIT', 'CANCEL', 'REFUND', 'RELEASE')),
      outcome text not null check (outcome in ('DONE', 'REFUSED', 'FAILED', 'TIMED_OUT', 'SUPERSEDED')),
      slot smallint not null,
      attempt integer not null,
      reason text not null,
      started_at timestamptz not null,
      ended_at timestamptz not null,
      primary key (order_id, step, outcome, slot)
    )`);
  }
}
