import { Migration } from "@mikro-orm/migrations";
import { createEventTables } from "#mesh/runtime/events/migration.ts";

export class Migration20261122000000Initial extends Migration {
  override up(): void {
    this.addSql(`create table accounts (
      id uuid primary key,
      email text not null unique check (email = lower(email)),
      password_hash text not null,
      roles jsonb not null,
      created_at timestamptz not null
    )`);
    this.addSql(`create table sessions (
      id uuid primary key,
      user_id uuid not null references accounts (id) on delete cascade,
      started_at timestamptz not null,
      expires_at timestamptz not null,
      ended_at timestamptz
    )`);
    this.addSql("create index sessions_user_id on sessions (user_id)");
    this.addSql("create index sessions_over on sessions (least(expires_at, ended_at))");
    this.addSql(`create table refresh_tokens (
      hash text primary key,
      session_id uuid not null references sessions (id) on delete cascade,
      created_at timestamptz not null,
      used_at timestamptz
    )`);
    this.addSql("create index refresh_tokens_session_id on refresh_tokens (session_id)");
    this.addSql(`create table signing_keys (
      kid text primary key,
      private_jwk jsonb not null,
      created_at timestamptz not null,
      activates_at timestamptz not null,
      retires_at timestamptz
    )`);
    for (const sql of createEventTables) this.addSql(sql);
  }
}
