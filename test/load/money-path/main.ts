/**
 * `npm run bench:orders`: confirmed orders a second beside the same commits without the mesh, in the same run on
 * the same server; and how soon orders are confirmed again after a server's restart.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureDatabase } from "#local/databases.ts";
import { openDatabase, type Storage } from "#mesh/runtime/storage/database.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";
import { storage as email } from "../../../services/email/storage.ts";
import { storage as inventory } from "../../../services/inventory/storage.ts";
import { storage as order } from "../../../services/order/storage.ts";
import { storage as payment } from "../../../services/payment/storage.ts";
import { storage as product } from "../../../services/product/storage.ts";
import { Customer } from "../../journeys/customer.ts";
import { type RunningShop, startShop } from "../../system/shop.ts";
import { buyMany, stockUp } from "../figures/orders.ts";
import { BareCommits, type PartName, parts } from "./bare-commits.ts";
import { CostMeter, describeCost } from "./cost.ts";
import { besidePoison } from "./poison.ts";
import { recoveryOf } from "./recovery.ts";

const { values } = parseArgs({
  options: {
    customers: { type: "string", default: "32" },
    orders: { type: "string", default: "400" },
    seconds: { type: "string", default: "6" },
    rounds: { type: "string", default: "3" },
    cost: { type: "boolean", default: false },
  },
});
const products = 10;
const customers = Number(values.customers);
const storages: Record<PartName, Storage> = { order, inventory, payment, email, product };

const shop = await startShop({ dashboard: false });
try {
  const meter = values.cost ? await CostMeter.attach(shop) : undefined;
  const productIds = await stockUp(shop, products, 1_000_000);
  const people = await Promise.all(Array.from({ length: customers }, () => Customer.register(shop)));
  const bare = await BareCommits.open(await bareDatabases(shop), products);
  await buyMany(people, productIds, customers * 2); // warm-up
  if (meter) {
    const orders = Number(values.orders);
    const withMesh = await meter.of(() => buyMany(people, productIds, orders));
    console.log(["an order costs", ...describeCost(withMesh, orders)].join("\n"));
    let alone = 0;
    const seconds = Number(values.seconds);
    const without = await meter.of(async () => {
      alone = Math.round((await bare.run(customers, seconds)) * seconds);
    });
    console.log(["its commits alone cost", ...describeCost(without, alone)].join("\n"));
    await meter.close();
  }
  const ratios: number[] = [];
  for (let round = 1; round <= Number(values.rounds); round++) {
    const before = await bare.run(customers, Number(values.seconds));
    const { seconds } = await buyMany(people, productIds, Number(values.orders));
    const after = await bare.run(customers, Number(values.seconds));
    const withMesh = Number(values.orders) / seconds;
    const without = (before + after) / 2;
    ratios.push(withMesh / without);
    console.log(
      `round ${round}: ${withMesh.toFixed(1)} orders/s; the same commits alone ${without.toFixed(1)}/s (${before.toFixed(1)}, ${after.toFixed(1)}); ratio ${(withMesh / without).toFixed(2)}`,
    );
  }
  if (ratios.length > 0)
    console.log(`ratio, median: ${ratios.toSorted()[Math.floor(ratios.length / 2)]!.toFixed(2)} (aim 0.6)`);
  await bare.close();
  if (Number(values.rounds) > 0) {
    const { without, beside, poison } = await besidePoison(shop, people, productIds, Number(values.orders));
    console.log(
      `p99 of an order: ${without.toFixed(0)} ms; beside ${poison.toFixed(0)} unreadable events in a hundred orders ${beside.toFixed(0)} ms, ${(beside / without).toFixed(2)} times as long (aim 1.2)`,
    );
  }
  for (const server of values.cost ? [] : (["nats", "postgres"] as const)) {
    const { restart, nextOrder } = await recoveryOf(shop, server, people.slice(0, 4), productIds[0]!);
    console.log(
      `${server}: ready ${restart} ms after SIGKILL, next confirmed order ${Math.round(nextOrder)} ms later (aim 10000)`,
    );
  }
} finally {
  await shop.stop();
}

/** Databases beside those of the shop, with the same tables. */
async function bareDatabases({ dataDir, servicePort }: RunningShop): Promise<Record<PartName, string>> {
  const password = readFileSync(join(dataDir, "postgres", "password"), "utf8");
  const adminUrl = `postgres://postgres:${encodeURIComponent(password)}@127.0.0.1:${servicePort("postgres")}/postgres`;
  const made = await Promise.all(
    parts.map(async (part) => {
      const url = await ensureDatabase({ adminUrl, service: `bare_${part}`, password: "bare" });
      const orm = await openDatabase(url, storages[part], createLogger("bare", "silent"));
      await orm.close();
      return [part, url] as const;
    }),
  );
  return Object.fromEntries(made) as Record<PartName, string>;
}
