/** Tables of order. */
import { defineEntity, type InferEntity, LockMode, p } from "@mikro-orm/core";
import type { EntityManager } from "@mikro-orm/postgresql";
import { eventEntities } from "#mesh/runtime/events/inbox.ts";
import type { Storage } from "#mesh/runtime/storage/database.ts";
import { Migration20261122000000Initial } from "./migrations/20261122000000-initial.ts";
import { Migration20261127000000StoredReplies } from "./migrations/20261127000000-stored-replies.ts";
import type { Money } from "./money.ts";
import type { OrderItem } from "./order.ts";

/** An order and where its checkout stands. */
export const OrderRow = defineEntity({
  name: "Order",
  tableName: "orders",
  properties: {
    id: p.uuid().primary(),
    customerId: p.uuid(),
    status: p.enum(["PENDING", "RESERVED", "PAID", "CONFIRMED", "COMPENSATING", "CANCELLED"] as const),
    cancelReason: p.enum(["REQUESTED", "OUT_OF_STOCK", "PAYMENT_DECLINED", "TIMED_OUT"] as const).nullable(),
    items: p.json<[OrderItem, ...OrderItem[]]>(),
    total: p.json<Money>(),
    /** Kept until the charge is made or given up. */
    paymentToken: p.text().nullable(),
    version: p.bigint("bigint"),
    attempts: p.integer(),
    nextStepAt: p.datetime().nullable(),
    stepDeadline: p.datetime().nullable(),
    /** Ids of the request that placed the order; the checkout's calls and logs carry them on. */
    requestId: p.text(),
    traceparent: p.text(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

export type Order = InferEntity<typeof OrderRow>;

export const storage: Storage = {
  entities: [OrderRow, ...eventEntities],
  migrations: [Migration20261122000000Initial, Migration20261127000000StoredReplies],
};

/** Locks an order; null when there is none. */
export function lockOrder(tx: EntityManager, id: string): Promise<Order | null> {
  return tx.findOne(OrderRow, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
}
