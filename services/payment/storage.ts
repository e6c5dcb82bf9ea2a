/** Tables of payment. Those of the simulated provider are its own: see simulated-provider.ts. */
import { defineEntity, type InferEntity, p } from "@mikro-orm/core";
import type { EntityManager } from "@mikro-orm/postgresql";
import { eventEntities } from "#mesh/runtime/events/inbox.ts";
import type { Storage } from "#mesh/runtime/storage/database.ts";
import { runLater } from "#mesh/runtime/storage/later-statements.ts";
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

// The path of every order: statements of its own, which cost less than the unit of work finding out about them.

/** Locks the payment of an order; undefined when there is none. */
export async function lockPayment(tx: EntityManager, orderId: string): Promise<Payment | undefined> {
  const [row] = await tx.execute("select * from payments where order_id = ? for update", [orderId]);
  return row && { ...tx.map(PaymentRow, row) };
}

/** Locks the payment of an order, and one that has the command's id: the same, normally, or none. */
export async function lockPayments(
  tx: EntityManager,
  { orderId, commandId }: { orderId: string; commandId: string },
): Promise<{ ofOrder?: Payment; ofCommand?: Payment }> {
  const rows = await tx.execute(
    "select * from payments where order_id = ? or command_id = ? order by order_id for update",
    [orderId, commandId],
  );
  const payments = rows.map((row) => ({ ...tx.map(PaymentRow, row) }));
  return {
    ofOrder: payments.find((payment) => payment.orderId === orderId),
    ofCommand: payments.find((payment) => payment.commandId === commandId),
  };
}

/** Stores the payment of an order that has none. */
export async function insertPayment(tx: EntityManager, payment: Payment): Promise<Payment> {
  const { orderId, customerId, commandId, currencyCode, units, nanos, createdAt } = payment;
  await runLater(
    tx,
    `insert into payments (order_id, customer_id, command_id, currency_code, units, nanos, created_at,
       status, decline_code, refund_requested, asked_at, next_check_at, updated_at)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      orderId,
      customerId,
      commandId ?? null,
      currencyCode ?? null,
      units === undefined || units === null ? null : String(units),
      nanos ?? null,
      createdAt,
      ...progressOf(payment),
    ],
  );
  return payment;
}

/** Stores where a payment that is locked stands now. */
export async function updatePayment(tx: EntityManager, payment: Payment): Promise<Payment> {
  await runLater(
    tx,
    `update payments set status = ?, decline_code = ?, refund_requested = ?, asked_at = ?, next_check_at = ?,
       updated_at = ?
     where order_id = ?`,
    [...progressOf(payment), payment.orderId],
  );
  return payment;
}

function progressOf({ status, declineCode, refundRequested, askedAt, nextCheckAt, updatedAt }: Payment) {
  return [status, declineCode, refundRequested, askedAt ?? null, nextCheckAt ?? null, updatedAt];
}
