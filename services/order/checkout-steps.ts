/**
 * The commands of the checkout, one for each status that is not settled. Each is idempotent by the
 * order's id, so a step may run again after a crash or an unknown outcome.
 */

import type { Client } from "@connectrpc/connect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { InventoryService } from "#gen/shop/inventory/v1/inventory_pb.ts";
import { Payment_Status, type PaymentService } from "#gen/shop/payment/v1/payment_pb.ts";
import { reasonOf } from "#mesh/runtime/rpc/errors.ts";
import { moneyMessage } from "./messages.ts";
import type { CancelReason, Status } from "./order.ts";
import type { Order } from "./storage.ts";

/** Services that the checkout commands. */
export interface Upstreams {
  readonly inventory: Client<typeof InventoryService>;
  readonly payment: Client<typeof PaymentService>;
}

/** Where the order goes next; COMPENSATING with the reason. */
export type Outcome =
  | { to: "RESERVED" | "PAID" | "CONFIRMED" | "CANCELLED" }
  | { to: "COMPENSATING"; reason: CancelReason };

type Step = (order: Order, upstreams: Upstreams) => Promise<Outcome>;

/** Step of each status. A step that throws has an unknown outcome and is tried again. */
export const steps: Partial<Record<Status, Step>> = {
  PENDING: reserve,
  RESERVED: charge,
  PAID: commit,
  COMPENSATING: compensate,
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
    commandId: `${order.id}:charge`,
    orderId: order.id,
    customerId: order.customerId,
    amount: moneyMessage(order.total),
    paymentToken: order.paymentToken ?? "",
  });
  if (status === Payment_Status.CHARGED) return { to: "PAID" };
  if (status === Payment_Status.DECLINED) return { to: "COMPENSATING", reason: "PAYMENT_DECLINED" };
  throw new Error(`the charge has status ${status}`);
}

async function commit(order: Order, { inventory }: Upstreams): Promise<Outcome> {
  await inventory.commit({ orderId: order.id });
  return { to: "CONFIRMED" };
}

/**
 * Gives back money, then pieces. Both commands also shut the door on a charge or a reservation that is
 * still on its way, so this is right whatever the outcome of the steps before was.
 */
async function compensate(order: Order, { inventory, payment }: Upstreams): Promise<Outcome> {
  await payment.refund({ commandId: `${order.id}:refund`, orderId: order.id, customerId: order.customerId });
  await inventory.release({ orderId: order.id });
  return { to: "CANCELLED" };
}

function isRefusal(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.FailedPrecondition;
}
