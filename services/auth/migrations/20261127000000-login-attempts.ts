import { Migration } from "@mikro-orm/migrations";

export class Migration20261127000000LoginAttempts extends Migration {
  override up(): void {
    this.addSql(`create table login_attempts (
      account text primary key,
      minute_at timestamptz not null,
      hour_at timestamptz not null
    )`);
  }
}
