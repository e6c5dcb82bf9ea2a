import { Migration } from "@mikro-orm/migrations";
import { createEventTables } from "#mesh/runtime/events/migration.ts";
import { createStoredReplies } from "#mesh/runtime/idempotency/stored-replies.ts";

export class Migration{{stamp}}Initial extends Migration {
  override up(): void {
    this.addSql(`create table {{things_}} (
      id uuid primary key,
      owner_id uuid not null,
      title text not null,
      text text not null,
      created_at timestamptz not null
    )`);
    this.addSql(`create index {{things_}}_of_owner on {{things_}} (owner_id, id desc)`);
    this.addSql(`create table {{thing_}}_stats (
      owner_id uuid primary key,
      created bigint not null check (created > 0)
    )`);
    for (const sql of [...createEventTables, ...createStoredReplies]) this.addSql(sql);
  }
}
