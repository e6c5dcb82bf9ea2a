/** One service stands still (SIGSTOP): routes that do not need it must not feel it. */
import type { RunningShop } from "../../system/shop.ts";
import { runLoad, type Sent } from "./open-loop.ts";
import { shopRequests } from "./shop-load.ts";
import { failed, note, percentile, reasons, row } from "./table.ts";

const seconds = 15;

/** @param shop with one replica of each service */
export async function measureHanging(shop: RunningShop): Promise<void> {
  const { browse, product, me, stock } = await shopRequests(shop);
  const port = Number(new URL(shop.edgeUrl).port);
  const requests = [browse, product, me, stock];
  const load = () => runLoad({ port, requests, rps: 100, seconds, connections: 400, timeoutMs: 10_000 });
  const unrelated = (sent: Sent[]) => sent.filter(({ kind }) => kind !== 3);
  const p99 = (sent: Sent[]) =>
    percentile(
      unrelated(sent).map(({ ms }) => ms),
      0.99,
    );
  await load();
  const before = p99(await load());
  const pid = shop.pid("inventory")!;
  process.kill(-pid, "SIGSTOP");
  let during: Sent[];
  try {
    during = await load();
  } finally {
    process.kill(-pid, "SIGCONT");
  }
  const after = p99(await load());
  // What the machine does meanwhile is no property of the system: the better of before and after is not the bar.
  const baseline = Math.max(before, after);
  note("p99 of unrelated routes, before and after", `${before.toFixed(1)}, ${after.toFixed(1)} ms`);
  const ratio = p99(during) / baseline;
  row("p99 of unrelated routes while one hangs, of baseline", ratio.toFixed(2), "≤ 1.2", ratio <= 1.2);
  const bad = failed(unrelated(during));
  row("failed requests on unrelated routes", bad.length === 0 ? "0" : reasons(bad), "0", bad.length === 0);
  note("answers of the hanging one", reasons(during.filter(({ kind }) => kind === 3)));
}
