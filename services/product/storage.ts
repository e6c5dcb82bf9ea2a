/** Tables of product. */
import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import { eventEntities } from "#mesh/runtime/events/inbox.ts";
import type { Storage } from "#mesh/runtime/storage/database.ts";
import { Migration20261122000000Initial } from "./migrations/20261122000000-initial.ts";

/** A product, in the catalogue or taken out of it. */
export const ProductRow = defineEntity({
  name: "Product",
  tableName: "products",
  properties: {
    id: p.uuid().primary(),
    name: p.text(),
    description: p.text(),
    category: p.text(),
    /** Price of one piece, as in google.type.Money. */
    currencyCode: p.text(),
    units: p.bigint("bigint"),
    nanos: p.integer(),
    /** What lists are ordered by and searches look into: see product.ts. */
    sortName: p.text(),
    searchText: p.text(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
    /** When it was taken out of the catalogue; null: it is in. */
    deletedAt: p.datetime().nullable(),
  },
});

/** Stock of a product as inventory last told it. */
export const AvailabilityRow = defineEntity({
  name: "Availability",
  tableName: "availability",
  properties: {
    productId: p.uuid().primary(),
    available: p.integer(),
    version: p.bigint("bigint"),
    changedAt: p.datetime(),
  },
});

export type Product = InferEntity<typeof ProductRow>;
export type Availability = InferEntity<typeof AvailabilityRow>;

export const storage: Storage = {
  entities: [ProductRow, AvailabilityRow, ...eventEntities],
  migrations: [Migration20261122000000Initial],
};
