/** `npm run resilience`: what the promises of issue and contract about failing parts come to. See README.md. */
import { cpus } from "node:os";
import { system } from "#local/system.ts";
import { type ShopOptions, startShop } from "../../system/shop.ts";
import { measureBreaker } from "./breaker.ts";
import { measureHanging } from "./hanging.ts";
import { measureOverload } from "./overload.ts";
import { measureStops } from "./stops.ts";

const replicas = new Map([...system.services, system.edge].map(({ name }) => [name, 2]));

const figures: Record<string, () => Promise<void>> = {
  breaker: measureBreaker,
  stops: () => withShop({ replicas }, (shop) => measureStops(shop, 160)),
  hanging: () => withShop({}, measureHanging),
  overload: () => withShop({}, measureOverload),
};

async function withShop(
  options: ShopOptions,
  measure: (shop: Awaited<ReturnType<typeof startShop>>) => Promise<void>,
): Promise<void> {
  const shop = await startShop({ ...options, env: { LOG_LEVEL: "warn", ...options.env } });
  try {
    await measure(shop);
  } finally {
    await shop.stop();
  }
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in figures));
if (unknown.length > 0)
  throw new Error(`no figure is called ${unknown.join(", ")}; there are ${Object.keys(figures).join(", ")}`);
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, ${new Date().toISOString()}`);
for (const name of wanted.length > 0 ? wanted : Object.keys(figures)) {
  console.log(`\n${name}`);
  await figures[name]!();
}
