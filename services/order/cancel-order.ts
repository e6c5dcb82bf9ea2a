import { Code } from "@connectrpc/connect";
import type { MikroORM } from "@mikro-orm/postgresql";
import type { Principal } from "#mesh/runtime/identity/principal.ts";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";
import { inTransaction } from "#mesh/runtime/storage/transaction.ts";
import { moveTo } from "./order.ts";
import { lockOrder, type Order, updateOrder } from "./storage.ts";
import { addToTimeline, doneAt } from "./timeline.ts";

/**
 * Starts to give everything back, wherever the checkout stands. A step of the checkout that is under
 * way finds a newer version when it returns and leaves the order alone. Repeats change nothing.
 *
 * @throws ServiceError ORDER_NOT_FOUND, also for somebody else's order
 */
export async function cancelOrder(orm: MikroORM, orderId: string, principal: Principal): Promise<Order> {
  return inTransaction(orm, async (tx) => {
    const order = await lockOrder(tx, orderId);
    if (!order || !maySee(order, principal)) throw orderNotFound();
    if (order.status === "COMPENSATING" || order.status === "CANCELLED") return order;
    const { version } = order;
    const moved = { ...order };
    moveTo(moved, "COMPENSATING", new Date(), "REQUESTED");
    moved.nextStepAt = moved.updatedAt; // nobody has it in hand: due at once
    await updateOrder(tx, moved, version);
    const by = order.customerId === principal.id ? "CUSTOMER" : "ADMIN";
    await addToTimeline(tx, order.id, [doneAt("CANCEL", moved.updatedAt, by)]);
    return moved;
  });
}

/** Whether an order is the user's own, or the user may see all. */
export function maySee(order: Order, principal: Principal): boolean {
  return order.customerId === principal.id || principal.roles.includes("admin");
}

export function orderNotFound(): ServiceError {
  return new ServiceError(Code.NotFound, "ORDER_NOT_FOUND", "no such order");
}
