/** One service stands still (SIGSTOP): routes that do not need it must not feel it. */
import { Customer } from "../../journeys/customer.ts";
import type { Shop } from "../../system/shop.ts";
import { type CpuUse, cpuSince, cpuUse, inCores, noteMachine, plus } from "./cpu-use.ts";
import { runLoad, type Sent } from "./open-loop.ts";
import { shopRequests } from "./shop-load.ts";
import { failed, note, noteLateness, percentile, reasons, row } from "./table.ts";

/** Seconds of each part, and how often there is one without and one with it. */
const seconds = 8;
const rounds = 6;
/** After a part, in milliseconds, from when on no order waits any more for the one that hung. */
const calmMs = 1_000;

/** All that was measured in parts of one kind. */
interface Parts {
  readonly sent: Sent[];
  cpu: CpuUse;
  readonly p99s: number[];
}

/** @param shop with one replica of each service */
export async function measureHanging(shop: Shop): Promise<void> {
  const { browse, product, me, orders, stock, order } = await shopRequests(shop);
  const port = Number(new URL(shop.edgeUrl).port);
  // Every fourth goes to the one that will hang; orders need it only after they are answered.
  const unrelated = { browse, product, me, orders, order };
  const names = Object.keys(unrelated);
  // The order once for two of each other one.
  const requests = [...[browse, product, me, orders], ...Object.values(unrelated), stock, stock, stock];
  const nameOf = ({ kind }: Sent) => names[kind < 4 ? kind : kind - 4];
  const isUnrelated = (sent: Sent) => nameOf(sent) !== undefined;
  const load = () => runLoad({ port, requests, rps: 100, seconds, connections: 400, timeoutMs: 10_000 });
  const p99 = (sent: Sent[], which: (one: Sent) => boolean = isUnrelated) =>
    percentile(
      sent.filter(which).map(({ ms }) => ms),
      0.99,
    );
  const customer = await Customer.signIn(shop, "alice@example.com");
  const part = async (work: () => Promise<Sent[]>, parts: Parts) => {
    const before = cpuUse(shop);
    const sent = await work();
    parts.cpu = plus(parts.cpu, cpuSince(before, cpuUse(shop)));
    parts.sent.push(...sent);
    parts.p99s.push(p99(sent));
    await untilSettled(customer);
    await new Promise((resolve) => setTimeout(resolve, calmMs));
  };
  const free: Parts = { sent: [], cpu: new Map(), p99s: [] };
  const hung: Parts = { sent: [], cpu: new Map(), p99s: [] };

  noteMachine("before");
  await load();
  for (let round = 0; round < rounds; round++) {
    const without = () => part(load, free);
    const with_ = () => part(() => whileStopped(shop.pid("inventory")!, load), hung);
    // Now the one first, now the other: what grows or shrinks over the run counts for both.
    for (const measure of round % 2 === 0 ? [without, with_] : [with_, without]) await measure();
  }
  noteMachine("after");
  const times = free.p99s.map((ms, round) => `${ms.toFixed(0)} → ${hung.p99s[round]!.toFixed(0)}`);
  note("p99 of unrelated routes without and with it, part by part", `${times.join(", ")} ms`);
  for (const name of names) {
    const of = ({ sent }: Parts) => p99(sent, (one) => nameOf(one) === name).toFixed(0);
    note(`  of "${name}", over all`, `${of(free)} → ${of(hung)} ms`);
  }
  note("CPU without, in cores", inCores(free.cpu, seconds * rounds));
  note("CPU with", inCores(hung.cpu, seconds * rounds));
  const [without, with_] = [p99(free.sent), p99(hung.sent)];
  row(
    `p99 of unrelated routes while one hangs, of without: ${with_.toFixed(1)} of ${without.toFixed(1)} ms`,
    (with_ / without).toFixed(2),
    "≤ 1.2",
    with_ <= without * 1.2,
  );
  const bad = failed(hung.sent.filter(isUnrelated));
  row("failed requests on unrelated routes", bad.length === 0 ? "0" : reasons(bad), "0", bad.length === 0);
  note("answers of the hanging one", reasons(hung.sent.filter((sent) => !isUnrelated(sent))));
  noteLateness(hung.sent);
}

/** @param customer who placed less than a page of orders since all were settled */
async function untilSettled(customer: Customer): Promise<void> {
  const isSettled = ({ status }: { status: string }) => status === "CONFIRMED" || status === "CANCELLED";
  for (const deadline = Date.now() + 60_000; ; ) {
    const { body } = await customer.get("/v1/orders?pageSize=100");
    if (body.orders.every(isSettled)) return;
    if (Date.now() > deadline) throw new Error("orders are not settled within a minute");
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

async function whileStopped<T>(pid: number, work: () => Promise<T>): Promise<T> {
  process.kill(-pid, "SIGSTOP");
  try {
    return await work();
  } finally {
    process.kill(-pid, "SIGCONT");
  }
}
