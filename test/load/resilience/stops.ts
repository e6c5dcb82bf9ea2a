/** Each process of the shop is asked to end (SIGTERM) in turn, while customers go on: nobody may notice. */
import { controlOf } from "#local/control/client.ts";
import { until } from "../../system/runner-process.ts";
import type { RunningShop } from "../../system/shop.ts";
import { runLoad } from "./open-loop.ts";
import { shopRequests } from "./shop-load.ts";
import { failed, note, percentile, reasons, row } from "./table.ts";

const rps = 100;
/** Between one process being back and the next stop, in milliseconds. */
const calmMs = 1_500;

/** @param shop with two replicas of each service and of the edge */
export async function measureStops(
  shop: RunningShop,
  seconds: number,
  which: (name: string) => boolean = () => true,
): Promise<void> {
  const control = controlOf(shop.dataDir);
  const { browse, product, stock, me, order } = await shopRequests(shop);
  // One in twenty orders; the rest reads, at every service that the edge leads to.
  const requests = [
    ...Array.from({ length: 5 }, () => [browse, product, stock, me])
      .flat()
      .slice(1),
    order,
  ];
  const port = Number(new URL(shop.edgeUrl).port);
  const running = runLoad({ port, requests, rps, seconds, connections: 256, timeoutMs: 10_000 });
  let over = false;
  void running.then(() => {
    over = true;
  });

  const processes = (await control.list()).filter(
    ({ kind, name }) => (kind === "service" || kind === "edge") && which(name),
  );
  const stops: { name: string; at: number; ms: number }[] = [];
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  for (const { name, pid } of processes) {
    if (over) break;
    const at = Date.now();
    process.kill(pid!, "SIGTERM");
    await until(
      `${name} is back`,
      async () => {
        const now = (await control.list()).find((each) => each.name === name);
        return now?.state === "ready" && now.pid !== pid;
      },
      60,
    );
    stops.push({ name, at, ms: Date.now() - at });
    await new Promise((resolve) => setTimeout(resolve, calmMs));
  }
  const sent = await running;
  const bad = failed(sent);
  for (const { name, at, ms } of stops) {
    const during = bad.filter((one) => one.at >= at - 100 && one.at < at + ms + calmMs);
    if (during.length > 0) note(`  while ${name} ended and came back`, reasons(during));
  }
  note("requests", String(sent.length));
  note("processes ended and started again", `${stops.length} of ${processes.length}`);
  note(
    "p99 of all that time",
    `${percentile(
      sent.map(({ ms }) => ms),
      0.99,
    ).toFixed(0)} ms`,
  );
  const all = stops.length === processes.length;
  row(
    "failed requests",
    bad.length === 0 ? "0" : `${bad.length}: ${reasons(bad)}`,
    "0",
    bad.length === 0 && all,
  );
}
