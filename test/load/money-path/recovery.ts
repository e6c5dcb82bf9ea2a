/** How long a server's restart keeps orders from being confirmed. */
import { randomUUID } from "node:crypto";
import { Databases } from "../../chaos/shop/databases.ts";
import type { Customer } from "../../journeys/customer.ts";
import type { RunningShop } from "../../system/shop.ts";

/** Milliseconds, of the server's start and of the next order that is confirmed. */
export interface Recovery {
  /** From SIGKILL until the server is ready. */
  readonly restart: number;
  /** From then until an order is confirmed. */
  readonly nextOrder: number;
}

/** Kills a server while the customers order, and waits for the first order after its return. */
export async function recoveryOf(
  shop: RunningShop,
  server: "nats" | "postgres",
  customers: readonly Customer[],
  productId: string,
): Promise<Recovery> {
  let ended = false;
  const ordering = customers.map(async (customer) => {
    while (!ended) {
      await orderOnce(customer, productId).catch(() => {}); // no answer: the next one
      await pause(200);
    }
  });
  await pause(2_000);
  const killed = Date.now();
  await shop.kill(server);
  await shop.running(server);
  const ready = Date.now();
  const databases = new Databases(shop.dataDir, shop.servicePort("postgres"));
  try {
    for (const end = ready + 60_000; ; ) {
      const at = await firstConfirmedAfter(databases, ready).catch(() => null);
      if (at !== null) return { restart: ready - killed, nextOrder: Math.max(0, at - ready) };
      if (Date.now() > end)
        throw new Error(`no order was confirmed within 60 s after the return of ${server}`);
      await pause(50);
    }
  } finally {
    ended = true;
    await Promise.all(ordering);
    await databases.close();
  }
}

async function orderOnce(customer: Customer, productId: string): Promise<void> {
  const { status, body } = await customer.placeOrder([{ productId, quantity: 1 }], "tok_visa", randomUUID());
  if (status === 201) await customer.settledOrder(body.id, 5);
}

async function firstConfirmedAfter(databases: Databases, time: number): Promise<number | null> {
  const [row] = await databases.rows<{ at: number | null }>(
    "order",
    `select (extract(epoch from min(created_at)) * 1000)::float8 as at from outbox
     where type = 'shop.order.v1.OrderConfirmed' and created_at > to_timestamp(${time / 1_000})`,
  );
  return row?.at ?? null;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
