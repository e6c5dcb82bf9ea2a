/**
 * `npm run bench:languages -- --service inventory --language go`: what one service costs in TypeScript and in another
 * language, in the same shop under the same orders, in turns. README.md tells how to read it.
 */
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { Customer } from "../../journeys/customer.ts";
import { type RunningShop, startShop } from "../../system/shop.ts";
import { buyMany, stockUp } from "../figures/orders.ts";
import { processTree } from "../figures/process-tree.ts";

const { values } = parseArgs({
  options: {
    service: { type: "string", default: "inventory" },
    language: { type: "string", default: "go" },
    orders: { type: "string", default: "300" },
    rounds: { type: "string", default: "2" },
  },
});
if (process.platform !== "linux")
  throw new Error("CPU time of other processes is read from /proc: Linux only");

/** Compiled code and pools of connections are there by then. */
const warmUp = 100;
const customers = 8;

type Figures = {
  "CPU ms an order": number;
  /** Of a service that is called by orders; email is not. */
  "CPU ms a call"?: number;
  "MB at start": number;
  "MB after": number;
};

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, ${new Date().toISOString()}`);
console.log(`${values.service}: ${values.orders} orders a round after ${warmUp}, ${customers} customers\n`);
for (let round = 1; round <= Number(values.rounds); round++)
  for (const language of ["typescript", values.language]) {
    const figures = await measure(language);
    const shown = Object.entries(figures).map(([name, value]) => `${value.toFixed(2).padStart(8)} ${name}`);
    console.log(`round ${round}  ${language.padEnd(12)}${shown.join("  ")}`);
  }

async function measure(language: string): Promise<Figures> {
  const shop = await startShop({ dashboard: false, languages: [`${values.service}=${language}`] });
  try {
    const before = use(shop);
    const products = await stockUp(shop, 10, Number(values.orders) + warmUp);
    const buyers: Customer[] = [];
    for (let count = 0; count < customers; count++) buyers.push(await Customer.register(shop));
    await buyMany(buyers, products, warmUp);
    const [began, callsBefore] = [use(shop), await calls(shop)];
    await buyMany(buyers, products, Number(values.orders));
    const [after, callsAfter] = [use(shop), await calls(shop)];
    const spent = (after.cpu - began.cpu) * 1_000;
    const answered = callsAfter - callsBefore;
    return {
      "CPU ms an order": spent / Number(values.orders),
      ...(answered >= Number(values.orders) && { "CPU ms a call": spent / answered }),
      "MB at start": before.pss / 2 ** 20,
      "MB after": after.pss / 2 ** 20,
    };
  } finally {
    await shop.stop();
  }
}

function use(shop: RunningShop) {
  const [own] = processTree(shop.pid(values.service)!);
  if (!own) throw new Error(`${values.service} is not running`);
  return own;
}

/** Calls that the service has answered. */
async function calls(shop: RunningShop): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${shop.servicePort(values.service)}/metrics`)).text();
  return [...text.matchAll(/^rpc_server_call_duration_seconds_count\{.*\} (\S+)$/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
}
