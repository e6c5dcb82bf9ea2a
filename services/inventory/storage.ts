/** Tables of inventory. */
import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import type { EntityManager } from "@mikro-orm/postgresql";
import { eventEntities } from "#mesh/runtime/events/inbox.ts";
import type { Storage } from "#mesh/runtime/storage/database.ts";
import { runLater } from "#mesh/runtime/storage/later-statements.ts";
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

// The path of every order: statements of its own, which cost less than the unit of work finding out about them.

/** Locks the stock of these products, always in the same order, so that two orders cannot deadlock. */
export async function lockStock(tx: EntityManager, productIds: string[]): Promise<Map<string, Stock>> {
  const rows = await tx.execute(
    `select * from stock where product_id in (${productIds.map(() => "?").join(", ")})
     order by product_id for update`,
    productIds,
  );
  const stock = rows.map((row) => ({ ...tx.map(StockRow, row) }));
  return new Map(stock.map((row) => [row.productId, row]));
}

/** Begins the stock of a product, with nothing. */
export async function insertStock(tx: EntityManager, productId: string): Promise<Stock> {
  const stock = { productId, available: 0, reserved: 0, sold: 0, version: 0n, updatedAt: new Date() };
  await runLater(
    tx,
    "insert into stock (product_id, available, reserved, sold, version, updated_at) values (?, 0, 0, 0, 0, ?)",
    [productId, stock.updatedAt],
  );
  return stock;
}

/** Stores a stock row that is locked. */
export function updateStock(tx: EntityManager, stock: Stock): Promise<void> {
  const { productId, available, reserved, sold, version, updatedAt } = stock;
  return runLater(
    tx,
    "update stock set available = ?, reserved = ?, sold = ?, version = ?, updated_at = ? where product_id = ?",
    [available, reserved, sold, String(version), updatedAt, productId],
  );
}

/** Locks the reservation of an order; undefined when there is none. */
export async function lockReservation(tx: EntityManager, orderId: string): Promise<Reservation | undefined> {
  const [row] = await tx.execute("select * from reservations where order_id = ? for update", [orderId]);
  return row && { ...tx.map(ReservationRow, row) };
}

/** Stores the reservation of an order that has none. */
export async function insertReservation(
  tx: EntityManager,
  { orderId, status, items }: Pick<Reservation, "orderId" | "status" | "items">,
): Promise<Reservation> {
  const now = new Date();
  await runLater(
    tx,
    "insert into reservations (order_id, status, items, created_at, updated_at) values (?, ?, ?::jsonb, ?, ?)",
    [orderId, status, JSON.stringify(items), now, now],
  );
  return { orderId, status, items, createdAt: now, updatedAt: now };
}

/** Changes the status of a reservation that is locked. */
export async function updateReservation(
  tx: EntityManager,
  reservation: Reservation,
  status: Reservation["status"],
): Promise<Reservation> {
  const changed = { ...reservation, status, updatedAt: new Date() };
  await runLater(tx, "update reservations set status = ?, updated_at = ? where order_id = ?", [
    status,
    changed.updatedAt,
    changed.orderId,
  ]);
  return changed;
}
