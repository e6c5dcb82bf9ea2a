/** What events that nobody can read do to the orders beside them. */
import { system } from "#local/system.ts";
import { Random } from "../../chaos/harness/random.ts";
import { poisonEvents, subjectsOfEvents } from "../../chaos/shop/poison-events.ts";
import type { Customer } from "../../journeys/customer.ts";
import type { RunningShop } from "../../system/shop.ts";
import { buyMany } from "../figures/orders.ts";

/** Milliseconds from a request to the confirmed order; the 99th percentile. */
export interface BesidePoison {
  readonly without: number;
  readonly beside: number;
  /** Messages that nobody can read, in a hundred orders. */
  readonly poison: number;
}

/** Two rounds of orders without poison and, in between, two with it. */
export async function besidePoison(
  shop: RunningShop,
  customers: readonly Customer[],
  productIds: readonly string[],
  orders: number,
): Promise<BesidePoison> {
  const bus = { dataDir: shop.dataDir, port: shop.servicePort("nats") };
  const subjects = subjectsOfEvents(system.descriptors);
  const random = new Random("poison");
  const latencies = { without: [] as number[], beside: [] as number[] };
  let poison = 0;
  for (const round of ["without", "beside", "beside", "without"] as const) {
    for (let bought = 0; bought < orders / 2; bought += 100) {
      if (round === "beside") poison += await poisonEvents(bus, subjects, random);
      latencies[round].push(...(await buyMany(customers, productIds, 100)).latencies);
    }
  }
  const { without, beside } = latencies;
  return { without: p99(without), beside: p99(beside), poison: (100 * poison) / beside.length };
}

function p99(latencies: readonly number[]): number {
  return latencies.toSorted((left, right) => left - right)[Math.floor(latencies.length * 0.99)] ?? 0;
}
