import type { MikroORM } from "@mikro-orm/postgresql";
import type { Principal } from "#mesh/runtime/identity/principal.ts";
import { maySee, orderNotFound } from "./cancel-order.ts";
import { type Order, OrderRow, type OrderStep, OrderStepRow } from "./storage.ts";

/**
 * An order and its timeline, oldest entry first.
 * @throws ServiceError ORDER_NOT_FOUND, also for somebody else's order
 */
export async function readTimeline(
  orm: MikroORM,
  orderId: string,
  principal: Principal,
): Promise<{ order: Order; steps: OrderStep[] }> {
  const em = orm.em.fork();
  const order = await em.findOne(OrderRow, { id: orderId });
  if (!order || !maySee(order, principal)) throw orderNotFound();
  const orderBy = { startedAt: "asc", endedAt: "asc" } as const;
  return { order, steps: await em.find(OrderStepRow, { orderId }, { orderBy }) };
}
