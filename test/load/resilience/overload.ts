/** Three times what the shop can do, for half a minute: it must go on doing nearly as much as it can. */
import { system } from "#local/system.ts";
import type { RunningShop } from "../../system/shop.ts";
import { cpuMicros } from "../edge/cpu-time.ts";
import { runLoad, type Sent } from "./open-loop.ts";
import { shopRequests } from "./shop-load.ts";
import { note, noteLateness, percentile, reasons, row } from "./table.ts";

/** An answer later than this, in milliseconds, is of no use to anybody. */
const usefulMs = 1_000;
const overloadSeconds = 30;
/** Requests a second that the search for the peak begins with, and the factor from one rate to the next. */
const firstRate = 50;
const step = 1.3;

const useful = (sent: readonly Sent[]) =>
  sent.filter(({ status, ms }) => status >= 200 && status < 300 && ms <= usefulMs);

export async function measureOverload(shop: RunningShop): Promise<void> {
  const { product, me, order } = await shopRequests(shop);
  const port = Number(new URL(shop.edgeUrl).port);
  const requests = [
    ...Array.from({ length: 9 }, () => product),
    ...Array.from({ length: 9 }, () => me),
    order,
    order,
  ];
  const load = (rps: number, seconds: number) =>
    runLoad({ port, requests, rps, seconds, connections: 2_000, timeoutMs: 5_000 });

  await load(firstRate, 5);
  // The peak: the rate is raised until a twentieth of the answers is no use any more.
  let peak = 0;
  for (let rps = firstRate; ; rps = Math.round(rps * step)) {
    const sent = await load(rps, 4);
    const goodput = useful(sent).length / 4;
    if (goodput > peak) peak = goodput;
    if (goodput < rps * 0.95) break;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  note("peak goodput", `${peak.toFixed(0)}/s`);
  await new Promise((resolve) => setTimeout(resolve, 5_000));

  const cpu = cpuOf(shop);
  const during = await load(peak * 3, overloadSeconds);
  note("CPU meanwhile, in cores", cpu());
  const goodput = useful(during).length / overloadSeconds;
  const share = goodput / peak;
  row("goodput at three times the peak, of peak", `${(share * 100).toFixed(0)} %`, "≥ 80 %", share >= 0.8);
  note("answers", reasons(during));
  noteLateness(during);
  const after = await load(peak * 0.7, 20);
  const began = after[0]?.at ?? 0;
  // Recovered from the second on after which at least nine tenths of each second's answers are useful.
  let recovered = 0;
  for (let second = 0; second < 20; second++) {
    const part = after.filter(({ at }) => at >= began + second * 1_000 && at < began + (second + 1) * 1_000);
    if (part.length > 0 && useful(part).length < part.length * 0.9) recovered = second + 1;
  }
  note("answers after", reasons(after));
  row("recovered after", `${recovered} s`, "≤ 10 s", recovered <= 10);
  note(
    "p99 of useful answers during",
    `${percentile(
      useful(during).map(({ ms }) => ms),
      0.99,
    ).toFixed(0)} ms`,
  );
}

/** What the edge and each service use from now on until the returned function is called. */
function cpuOf(shop: RunningShop): () => string {
  const names = [system.edge, ...system.services].map(({ name }) => name);
  const used = () => names.map((name) => cpuMicros(shop.pid(name)!));
  const [before, began] = [used(), performance.now()];
  return () => {
    const micros = (performance.now() - began) * 1_000;
    return used()
      .map((after, i) => `${names[i]} ${((after - before[i]!) / micros).toFixed(2)}`)
      .join(", ");
  };
}
