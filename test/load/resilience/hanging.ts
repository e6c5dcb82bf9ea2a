/** One service stands still (SIGSTOP): routes that do not need it must not feel it. */
import type { RunningShop } from "../../system/shop.ts";
import { runLoad, type Sent } from "./open-loop.ts";
import { shopRequests } from "./shop-load.ts";
import { failed, note, noteLateness, percentile, reasons, row } from "./table.ts";

/** Seconds of each part, and how often it is measured with and without: in turns, so that the machine's moods cancel out. */
const seconds = 8;
const rounds = 5;

/** @param shop with one replica of each service */
export async function measureHanging(shop: RunningShop): Promise<void> {
  const { browse, product, me, orders, stock, order } = await shopRequests(shop);
  const port = Number(new URL(shop.edgeUrl).port);
  // Every fourth goes to the one that will hang; orders need it only after they are answered.
  const unrelated = [browse, product, me, orders, browse, product, me, orders, order];
  const requests = [...unrelated, stock, stock, stock];
  const isUnrelated = ({ kind }: Sent) => kind < unrelated.length;
  const load = () => runLoad({ port, requests, rps: 100, seconds, connections: 400, timeoutMs: 10_000 });
  const p99 = (sent: Sent[]) =>
    percentile(
      sent.filter(isUnrelated).map(({ ms }) => ms),
      0.99,
    );
  await load();
  const ratios: number[] = [];
  const hung: Sent[] = [];
  const times: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const before = p99(await load());
    const during = await whileStopped(shop.pid("inventory")!, load);
    hung.push(...during);
    ratios.push(p99(during) / before);
    times.push(`${before.toFixed(0)} → ${p99(during).toFixed(0)}`);
  }
  note("p99 of unrelated routes without and with it, in turns", `${times.join(", ")} ms`);
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
