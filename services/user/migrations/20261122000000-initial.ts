import { Migration } from "@mikro-orm/migrations";
import { createEventTables } from "#mesh/runtime/events/migration.ts";

export class Migration20261122000000Initial extends Migration {
  override up(): void {
    this.addSql(`create table profiles (
      user_id uuid primary key,
      email text not null,
      display_name text not null,
      roles jsonb not null,
      addresses jsonb not null,
      created_at timestamptz not null,
      updated_at timestamptz not null
    )`);
    for (const sql of createEventTables) this.addSql(sql);
  }
}
