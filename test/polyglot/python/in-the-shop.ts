/**
 * email in Python as a part of the whole shop: orders by the documented client in Python, one mail each, also for those
 * whose mail was in hand when the process was killed. Prints what it saw.
 */
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { pythonWithTools } from "#local/implementations/python.ts";
import { until } from "../../system/runner-process.ts";
import { startShop } from "../../system/shop.ts";

const root = resolve(import.meta.dirname, "../../..");
const run = promisify(execFile);
/** Orders while the process runs, and while it is killed again and again. */
const [calm, stormy, kills] = [2, 6, 3];

const python = await pythonWithTools(root);
const shop = await startShop({ languages: ["email=python"], dashboard: false });
try {
  const order = async (): Promise<string> => {
    const args = ["docs/clients/order.py", new URL(shop.edgeUrl).host];
    const env = { ...process.env, PYTHONPATH: resolve(root, "gen/python") };
    const [id = "", ...statuses] = (await run(python, args, { cwd: root, env })).stdout.trim().split("\n");
    if (statuses.at(-1) !== "CONFIRMED") throw new Error(`order ${id} ended as ${statuses.join(", ")}`);
    return id;
  };
  const mailsOf = (id: string) => shop.inbox().filter(({ subject }) => subject.includes(id));
  const ids: string[] = [];
  for (let count = 0; count < calm; count++) ids.push(await order());
  const ordering = (async () => {
    for (let count = 0; count < stormy; count++) ids.push(await order());
  })();
  for (let count = 0; count < kills; count++) {
    await shop.kill("email");
    await shop.running("email");
  }
  await ordering;
  await until("a mail for each order", () => ids.every((id) => mailsOf(id).length > 0), 60);
  // A mail that was taken, and not marked before the process died, comes again under its own Message-ID, 30 s later.
  const files = ids.map((id) => mailsOf(id).length);
  if (files.some((count) => count !== 1)) throw new Error(`mails of the orders: ${files.join(", ")}`);
  console.log(`${ids.length} orders confirmed, ${kills} kills, one mail each`);
} finally {
  await shop.stop();
}
