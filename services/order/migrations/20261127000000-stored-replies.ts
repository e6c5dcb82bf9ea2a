import { Migration } from "@mikro-orm/migrations";
import { createStoredReplies } from "#mesh/runtime/idempotency/stored-replies.ts";

/** Replies by Idempotency-Key are kept by the runtime, for every method that asks for a key. */
export class Migration20261127000000StoredReplies extends Migration {
  override up(): void {
    for (const sql of createStoredReplies) this.addSql(sql);
    this.addSql("alter table orders drop column idempotency_key, drop column request_hash");
  }
}
