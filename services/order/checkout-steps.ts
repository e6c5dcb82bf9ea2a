/**
 * The commands of the checkout, those of each status in their order. Each is idempotent by the order's id, so
 * it may run again after a crash or an unknown outcome.
 */

import type { Client } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { InventoryService } from "#gen/shop/inventory/v1/inventory_pb.ts";
import { Payment_Status, type PaymentService } from "#gen/shop/payment/v1/payment_pb.ts";
import { reasonOf } from "#mesh/runtime/rpc/errors.ts";
import { moneyMessage } from "./messages.ts";
import type { CancelReason, Status } from "./order.ts";
import type { Order } from "./storage.ts";
import type { StepName } from "./timeline.ts";

/** Services that the checkout commands. */
export interface Upstreams {
  readonly inventory: Client<typeof InventoryService>;
  readonly payment: Client<typeof PaymentService>;
}

/** Where the order goes next; COMPENSATING with the reason. */
export type Outcome =
  | { to: "RESERVED" | "PAID" | "CONFIRMED" | "CANCELLED" }
  | { to: "COMPENSATING"; reason: CancelReason };

/** A command to another service. One that throws has an unknown outcome and is tried again. */
export interface Command {
  readonly step: StepName;
  /** Undefined: the next command of the status decides. */
  run(order: Order, upstreams: Upstreams): Promise<Outcome | undefined>;
}

/** Commands of each status that is not settled. */
export const commands: Partial<Record<Status, readonly Command[]>> = {
  PENDING: [{ step: "RESERVE", run: reserve }],
  RESERVED: [{ step: "CHARGE", run: charge }],
  PAID: [{ step: "COMMIT", run: commit }],
  // Money, then pieces. Both also shut the door on a charge or a reservation that is still on its way, so this
  // is right whatever the outcome of the steps before was.
  COMPENSATING: [
    { step: "REFUND", run: refund },
    { step: "RELEASE", run: release },
  ],
};

/** What a status does when its time is up, before it is given up: nobody is sent away who has paid. */
export const lastCommands: Partial<Record<Status, readonly Command[]>> = {
  RESERVED: [{ step: "QUERY_CHARGE", run: queryCharge }],
};

async function reserve(order: Order, { inventory }: Upstreams): Promise<Outcome> {
  try {
    const items = order.items.map(({ productId, quantity }) => ({ productId, quantity }));
    await inventory.reserve({ orderId: order.id, items });
    return { to: "RESERVED" };
  } catch (error) {
    if (isRefusal(error) && reasonOf(error) === "OUT_OF_STOCK")
      return { to: "COMPENSATING", reason: "OUT_OF_STOCK" };
    throw error;
  }
}

async function charge(order: Order, { payment }: Upstreams): Promise<Outcome> {
  const { status } = await payment.charge({
    commandId: chargeId(order),
    orderId: order.id,
    customerId: order.customerId,
    amount: moneyMessage(order.total),
    paymentToken: order.paymentToken ?? "",
  });
  if (status === Payment_Status.CHARGED) return { to: "PAID" };
  if (status === Payment_Status.DECLINED) return { to: "COMPENSATING", reason: "PAYMENT_DECLINED" };
  throw new Error(`the charge has status ${status}`);
}

/** Learns by key what became of a charge that was never answered. */
async function queryCharge(order: Order, { payment }: Upstreams): Promise<Outcome> {
  const status = await payment.getCharge({ commandId: chargeId(order) }).then(
    (known) => known.status,
    (error: unknown) => {
      if (reasonOf(error) === "PAYMENT_NOT_FOUND") return Payment_Status.VOIDED; // it never got there
      throw error;
    },
  );
  if (status === Payment_Status.PENDING) throw new Error("the outcome of the charge is not known yet");
  if (status === Payment_Status.CHARGED) return { to: "PAID" };
  const reason = status === Payment_Status.DECLINED ? "PAYMENT_DECLINED" : "TIMED_OUT";
  return { to: "COMPENSATING", reason };
}

async function commit(order: Order, { inventory }: Upstreams): Promise<Outcome> {
  await inventory.commit({ orderId: order.id });
  return { to: "CONFIRMED" };
}

async function refund(order: Order, { payment }: Upstreams): Promise<undefined> {
  await payment.refund({ commandId: `${order.id}:refund`, orderId: order.id, customerId: order.customerId });
}

async function release(order: Order, { inventory }: Upstreams): Promise<Outcome> {
  await inventory.release({ orderId: order.id });
  return { to: "CANCELLED" };
}

function chargeId(order: Order): string {
  return `${order.id}:charge`;
}

function isRefusal(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.FailedPrecondition;
}
