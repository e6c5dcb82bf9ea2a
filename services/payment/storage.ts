/** Tables of payment. Those of the simulated provider are its own: see simulated-provider.ts. */
import { defineEntity, type InferEntity, LockMode, p } from "@mikro-orm/core";
import type { EntityManager } from "@mikro-orm/postgresql";
import { eventEntities } from "#mesh/runtime/events/inbox.ts";
import type { Storage } from "#mesh/runtime/storage/database.ts";
import { Migration20261122000000Initial } from "./migrations/20261122000000-initial.ts";
import { Migration20261122000001SimulatedProvider } from "./migrations/20261122000001-simulated-provider.ts";

/** Payment of an order. One order has one. The fields are explained in payment.ts. */
export const PaymentRow = defineEntity({
  name: "Payment",
  tableName: "payments",
  properties: {
    orderId: p.uuid().primary(),
    customerId: p.uuid(),
    commandId: p.text().nullable(),
    status: p.enum(["PENDING", "CHARGED", "DECLINED", "REFUNDED", "VOIDED"] as const),
    currencyCode: p.text().nullable(),
    units: p.bigint("bigint").nullable(),
    nanos: p.integer().nullable(),
    declineCode: p.text().default(""),
    refundRequested: p.boolean().default(false),
    askedAt: p.datetime().nullable(),
    nextCheckAt: p.datetime().nullable(),
    createdAt: p.datetime(),
    updatedAt: p.datetime(),
  },
});

export type Payment = InferEntity<typeof PaymentRow>;

export const storage: Storage = {
  entities: [PaymentRow, ...eventEntities],
  migrations: [Migration20261122000000Initial, Migration20261122000001SimulatedProvider],
};

/** Locks the payment of an order; null when there is none. */
export function lockPayment(tx: EntityManager, orderId: string): Promise<Payment | null> {
  return tx.findOne(PaymentRow, { orderId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
}
