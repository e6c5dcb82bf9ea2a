import { defineEntity, p } from "@mikro-orm/core";
import { Migration } from "@mikro-orm/migrations";
import { createEventTables, eventEntities, type Storage } from "@weft/runtime";

export const GreetingRow = defineEntity({
  name: "Greeting",
  tableName: "greetings",
  properties: { id: p.uuid().primary(), text: p.text(), heard: p.boolean() },
});

export class Initial extends Migration {
  override up(): void {
    for (const sql of createEventTables) this.addSql(sql);
    this.addSql("create table greetings (id uuid primary key, text text not null, heard boolean not null)");
  }
}

export const storage: Storage = { entities: [GreetingRow, ...eventEntities], migrations: [Initial] };
