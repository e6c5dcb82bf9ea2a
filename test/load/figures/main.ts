/**
 * `npm run figures`: how long the shop takes to start, what it holds in memory and how many orders it takes, as
 * many processes and as one. README.md tells how to read it.
 */
import { readFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import type { ReadyFile } from "#local/ready-file.ts";
import { Customer } from "../../journeys/customer.ts";
import { startShop } from "../../system/shop.ts";
import { buyMany, stockUp } from "./orders.ts";
import { type ProcessUse, processTree } from "./process-tree.ts";
import { coldStart, warmStart } from "./start-time.ts";

const { values } = parseArgs({
  options: {
    orders: { type: "string", default: "1000" },
    customers: { type: "string", default: "32" },
    mode: { type: "string", multiple: true, default: ["split", "single"] },
    cold: { type: "boolean", default: false },
    "no-start": { type: "boolean", default: false },
    processes: { type: "boolean", default: false },
  },
});
if (process.platform !== "linux") throw new Error("memory of other processes is read from /proc: Linux only");

console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, ${new Date().toISOString()}`);
for (const mode of values.mode) {
  const single = mode === "single";
  console.log(`\n${mode}`);
  if (!values["no-start"]) await printStarts(single ? ["--single"] : []);
  await printLoad(single);
}

async function printStarts(args: string[]): Promise<void> {
  const { first, again } = await warmStart(args);
  print("npm start to the first confirmed order, warm", `${again.toFixed(1)} s`);
  print("  with an empty data folder", `${first.toFixed(1)} s`);
  if (values.cold) print("  in a new clone, with npm ci", `${(await coldStart(args)).toFixed(1)} s`);
}

async function printLoad(single: boolean): Promise<void> {
  const orders = Number(values.orders);
  const shop = await startShop({ single, dashboard: false });
  try {
    const { pid } = JSON.parse(readFileSync(shop.readyFile, "utf8")) as ReadyFile;
    print("memory, started", megabytes(processTree(pid)));
    const products = await stockUp(shop, 10, orders);
    const customers: Customer[] = [];
    for (let count = 0; count < Number(values.customers); count++)
      customers.push(await Customer.register(shop));
    const before = cpuOf(processTree(pid));
    const { seconds, repeats } = await buyMany(customers, products, orders);
    const after = processTree(pid);
    print(`orders confirmed a second, ${values.customers} customers`, (orders / seconds).toFixed(1));
    if (repeats > 0) print("  asked again after UNAVAILABLE or DEADLINE_EXCEEDED", String(repeats));
    print("CPU an order", `${(((cpuOf(after) - before) * 1_000) / orders).toFixed(0)} ms`);
    print(`memory, after ${orders} orders`, megabytes(after));
    if (values.processes) printProcesses(after);
  } finally {
    await shop.stop();
  }
}

function printProcesses(memory: readonly ProcessUse[]): void {
  for (const { command, pss } of memory.toSorted((a, b) => b.pss - a.pss)) {
    const name = command
      .split(" ")
      .slice(0, 2)
      .map((part) => part.split("/").slice(-2).join("/"))
      .join(" ");
    print(`  ${name}`.slice(0, 60), `${(pss / 2 ** 20).toFixed(1)} MB`);
  }
}

/** Seconds. */
function cpuOf(processes: readonly ProcessUse[]): number {
  return processes.reduce((sum, { cpu }) => sum + cpu, 0);
}

function megabytes(memory: readonly ProcessUse[]): string {
  const total = memory.reduce((sum, { pss }) => sum + pss, 0);
  return `${(total / 2 ** 20).toFixed(0)} MB in ${memory.length} processes`;
}

function print(name: string, value: string): void {
  console.log(`${name.padEnd(60)} ${value}`);
}
