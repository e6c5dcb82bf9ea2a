import { Migration } from "@mikro-orm/migrations";

export class Migration20261127210000Revocations extends Migration {
  override up(): void {
    this.addSql(`alter table accounts
      add column tokens_void_before timestamptz,
      add column revocation_announced boolean not null default true`);
    this.addSql("create index accounts_to_announce on accounts (id) where not revocation_announced");
  }
}
