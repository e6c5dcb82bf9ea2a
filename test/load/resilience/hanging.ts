/** One service stands still (SIGSTOP): routes that do not need it must not feel it. */
import type { RunningShop } from "../../system/shop.ts";
import { runLoad, type Sent } from "./open-loop.ts";
import { shopRequests } from "./shop-load.ts";
import { failed, note, noteLateness, percentile, reasons, row } from "./table.ts";

/** Seconds of each part, and how often it is measured with and without: in turns, so that the machine's moods cancel out. */
const seconds = 8;
const rounds = 4;
/** Between parts, in milliseconds: what waited for the one that hung is done first. */
const calmMs = 5_000;

/** @param shop with one replica of each service */
export async function measureHanging(shop: RunningShop): Promise<void> {
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
  await load();
  const ratios: number[] = [];
  const free: Sent[] = [];
  const hung: Sent[] = [];
  const times: string[] = [];
  for (let round = 0; round < rounds; round++) {
    await new Promise((resolve) => setTimeout(resolve, calmMs));
    const before = await load();
    const during = await whileStopped(shop.pid("inventory")!, load);
    free.push(...before);
    hung.push(...during);
    ratios.push(p99(during) / p99(before));
    times.push(`${p99(before).toFixed(0)} → ${p99(during).toFixed(0)}`);
  }
  note("p99 of unrelated routes without and with it, in turns", `${times.join(", ")} ms`);
  for (const name of names) {
    const of = (sent: Sent[]) => p99(sent, (one) => nameOf(one) === name).toFixed(0);
    note(`  of "${name}", over all`, `${of(free)} → ${of(hung)} ms`);
  }
  const ratio = percentile(ratios, 0.5);
  row(
    `p99 of unrelated routes while one hangs, of without; median of ${rounds}`,
    ratio.toFixed(2),
    "≤ 1.2",
    ratio <= 1.2,
  );
  const bad = failed(hung.filter(isUnrelated));
  row("failed requests on unrelated routes", bad.length === 0 ? "0" : reasons(bad), "0", bad.length === 0);
  note("answers of the hanging one", reasons(hung.filter((sent) => !isUnrelated(sent))));
  noteLateness(hung);
}

async function whileStopped<T>(pid: number, work: () => Promise<T>): Promise<T> {
  process.kill(-pid, "SIGSTOP");
  try {
    return await work();
  } finally {
    process.kill(-pid, "SIGCONT");
  }
}
