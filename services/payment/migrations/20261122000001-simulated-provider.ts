import { Migration } from "@mikro-orm/migrations";

/** The ledger of the simulated provider. No table of the service refers to it. */
export class Migration20261122000001SimulatedProvider extends Migration {
  override up(): void {
    this.addSql(`create table provider_charges (
      key text primary key,
      outcome text not null check (outcome in ('charged', 'declined')),
      decline_code text not null,
      sum text not null,
      created_at timestamptz not null default now()
    )`);
    this.addSql(`create table provider_refunds (
      key text primary key,
      charge_key text not null unique references provider_charges (key),
      created_at timestamptz not null default now()
    )`);
    this.addSql(`create table provider_attempts (
      key text primary key,
      attempts integer not null
    )`);
  }
}
