import type { MikroORM } from "@mikro-orm/postgresql";
import type { Principal } from "#mesh/runtime/identity/principal.ts";
import { maySee, orderNotFound } from "./cancel-order.ts";
import { isSettled } from "./order.ts";
import type { OrderChanges } from "./order-changes.ts";
import { findOrder, type Order } from "./storage.ts";

/** Longest time until a change made by another replica is seen, in milliseconds. */
const lookMs = 1_000;

/**
 * The order now and after each change, until it is settled.
 * @throws ServiceError ORDER_NOT_FOUND, also for somebody else's order
 */
export async function* watchOrder(
  orm: MikroORM,
  changes: OrderChanges,
  orderId: string,
  principal: Principal,
  signal: AbortSignal,
): AsyncGenerator<Order> {
  const following = changes.follow(orderId); // before looking, so that no change is missed
  try {
    let told = 0n;
    let changed: Order | undefined;
    while (!signal.aborted) {
      const order = changed ?? (await findOrder(orm, orderId));
      if (!order || !maySee(order, principal)) throw orderNotFound();
      if (order.version > told) {
        told = order.version;
        yield order;
        if (isSettled(order.status)) return;
      }
      changed = await following.next(lookMs, signal);
    }
  } finally {
    following.end();
  }
}
