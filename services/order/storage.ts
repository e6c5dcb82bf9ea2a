/** Tables of order. */
import { defineEntity, type InferEntity, LockMode, p } from "@mikro-orm/core";
import type { EntityManager } from "@mikro-orm/postgresql";
import { eventEntities } from "#mesh/runtime/events/inbox.ts";
import type { Storage } from "#mesh/runtime/storage/database.ts";
import { Migration20261122000000Initial } from "./migrations/20261122000000-initial.ts";
import { Migration20261127000000StoredReplies } from "./migrations/20261127000000-stored-replies.ts";
import { Migration20261127000001Timeline } from "./migrations/20261127000001-timeline.ts";
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

/** One try of a step of the checkout; see timeline.ts. */
export const OrderStepRow = defineEntity({
  name: "OrderStep",
  tableName: "order_steps",
  properties: {
    orderId: p.uuid().primary(),
    step: p
      .enum(["PLACE", "RESERVE", "CHARGE", "QUERY_CHARGE", "COMMIT", "CANCEL", "REFUND", "RELEASE"] as const)
      .primary(),
    outcome: p.enum(["DONE", "REFUSED", "FAILED", "TIMED_OUT", "SUPERSEDED"] as const).primary(),
    /** Number among the failed tries of the step that are kept; 0 for other outcomes. */
    slot: p.smallint().primary(),
    attempt: p.integer(),
    reason: p.text(),
    startedAt: p.datetime(),
    endedAt: p.datetime(),
  },
});

export type OrderStep = InferEntity<typeof OrderStepRow>;
export type Order = InferEntity<typeof OrderRow>;

export const storage: Storage = {
  entities: [OrderRow, OrderStepRow, ...eventEntities],
  migrations: [
    Migration20261122000000Initial,
    Migration20261127000000StoredReplies,
    Migration20261127000001Timeline,
  ],
};

/** Locks an order; null when there is none. */
export function lockOrder(tx: EntityManager, id: string): Promise<Order | null> {
  return tx.findOne(OrderRow, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });
}
