import { Migration } from "@mikro-orm/migrations";
import { createEventTables } from "#mesh/runtime/events/migration.ts";

export class Migration20261122000000Initial extends Migration {
  override up(): void {
    this.addSql(`create extension if not exists pg_trgm`);
    // Collation "C": the order of names, and with it the meaning of a page token, is the same on every server.
    this.addSql(`create table products (
      id uuid primary key,
      name text not null,
      description text not null,
      category text not null,
      currency_code text not null,
      units bigint not null check (units >= 0),
      nanos integer not null check (nanos between 0 and 999999999),
      sort_name text collate "C" not null,
      search_text text not null,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      deleted_at timestamptz
    )`);
    this.addSql(`create index products_by_name on products (sort_name, id) where deleted_at is null`);
    this.addSql(
      `create index products_by_category on products (category, sort_name, id) where deleted_at is null`,
    );
    this.addSql(
      `create index products_by_word on products using gin (search_text gin_trgm_ops) where deleted_at is null`,
    );
    this.addSql(`create table availability (
      product_id uuid primary key,
      available integer not null,
      version bigint not null,
      changed_at timestamptz not null
    )`);
    for (const sql of createEventTables) this.addSql(sql);
  }
}
