/** Tables of inventory. */
import { defineEntity, type InferEntity, LockMode, p } from "@mikro-orm/core";
import type { EntityManager } from "@mikro-orm/postgresql";
import { eventEntities } from "#mesh/runtime/events/inbox.ts";
import type { Storage } from "#mesh/runtime/storage/database.ts";
import { Migration20261122000000Initial } from "./migrations/20261122000000-initial.ts";

/** Stock of a product. */
export const StockRow = defineEntity({
  name: "Stock",
  tableName: "stock",
  properties: {
    productId: p.uuid().primary(),
    available: p.integer(),
    reserved: p.integer().default(0),
    sold: p.integer().default(0),
    version: p.bigint("bigint"),
    updatedAt: p.datetime(),
  },
});

/** Pieces of an order, set aside or sold or put back. One order has one reservation. */
export const ReservationRow = defineEntity({
  name: "Reservation",
  tableName: "reservations",
  properties: {
    orderId: p.uuid().primary(),
    status: p.enum(["RESERVED", "COMMITTED", "RELEASED"] as const),
    items: p.json<{ productId: string; quantity: number }[]>(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

export type Stock = InferEntity<typeof StockRow>;
export type Reservation = InferEntity<typeof ReservationRow>;

export const storage: Storage = {
  entities: [StockRow, ReservationRow, ...eventEntities],
  migrations: [Migration20261122000000Initial],
};

/** Locks the stock of these products, always in the same order, so that two orders cannot deadlock. */
export async function lockStock(tx: EntityManager, productIds: string[]): Promise<Map<string, Stock>> {
  const rows = await tx.find(
    StockRow,
    { productId: { $in: productIds } },
    { orderBy: { productId: "asc" }, lockMode: LockMode.PESSIMISTIC_WRITE },
  );
  return new Map(rows.map((row) => [row.productId, row]));
}

/** Locks the reservation of an order; null when there is none. */
export function lockReservation(tx: EntityManager, orderId: string): Promise<Reservation | null> {
  return tx.findOne(ReservationRow, { orderId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
}
