/** Tables of {{name}}. */
import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { eventEntities } from "#mesh/runtime/events/inbox.ts";
import type { Storage } from "#mesh/runtime/storage/database.ts";
import { Migration{{stamp}}Initial } from "./migrations/{{stamp}}-initial.ts";

/** {{A_words}}. */
export const {{Thing}}Row = defineEntity({
  name: "{{Thing}}",
  tableName: "{{things_}}",
  properties: {
    id: p.uuid().primary(),
    ownerId: p.uuid(),
    title: p.text(),
    text: p.text(),
    createdAt: p.datetime(),
  },
});

/** How many a user has created: written from events only. */
export const StatsRow = defineEntity({
  name: "{{Thing}}Stats",
  tableName: "{{thing_}}_stats",
  properties: {
    ownerId: p.uuid().primary(),
    created: p.bigint("bigint"),
  },
});

export type {{Thing}} = InferEntity<typeof {{Thing}}Row>;

export const storage: Storage = {
  entities: [{{Thing}}Row, StatsRow, ...eventEntities],
  migrations: [Migration{{stamp}}Initial],
};
