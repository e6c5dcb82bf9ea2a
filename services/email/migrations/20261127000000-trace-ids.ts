import { Migration } from "@mikro-orm/migrations";

/** Mails that waited before have none: their sending begins a trace of its own. */
export class Migration20261127000000TraceIds extends Migration {
  override up(): void {
    this.addSql("alter table emails add column request_id text, add column traceparent text");
  }
}
