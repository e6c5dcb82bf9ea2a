/** Three times what the shop can do, for half a minute: it must go on doing nearly as much as it can. */
import type { Shop } from "../../system/shop.ts";
import { cpuSince, cpuUse, inCores, noteMachine } from "./cpu-use.ts";
import { runLoad, type Sent } from "./open-loop.ts";
import { shopRequests } from "./shop-load.ts";
import { note, noteLateness, percentile, reasons, row } from "./table.ts";

/** An answer later than this, in milliseconds, is of no use to anybody. */
const usefulMs = 1_000;
const overloadSeconds = 30;
/** Requests a second that the search for the peak begins with, and the factor from one rate to the next. */
const firstRate = 150;
const step = 1.3;
/** Seconds of a step of the search, and of a look at what can be kept up; and how many looks at each rate. */
const searchSeconds = 4;
const lookSeconds = 8;
const looks = 3;

type Load = (rps: number, seconds: number) => Promise<Sent[]>;

const useful = (sent: readonly Sent[]) =>
  sent.filter(({ status, ms }) => status >= 200 && status < 300 && ms <= usefulMs);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export async function measureOverload(shop: Shop): Promise<void> {
  const { product, me, order } = await shopRequests(shop);
  const port = Number(new URL(shop.edgeUrl).port);
  const requests = [
    ...Array.from({ length: 9 }, () => product),
    ...Array.from({ length: 9 }, () => me),
    order,
    order,
  ];
  const load: Load = (rps, seconds) =>
    runLoad({ port, requests, rps, seconds, connections: 2_000, timeoutMs: 5_000 });

  noteMachine("before");
  await load(firstRate, 8);
  const peak = await findPeak(load);
  await pause(5_000);

  const before = cpuUse(shop);
  const during = await load(peak * 3, overloadSeconds);
  note("CPU meanwhile, in cores", inCores(cpuSince(before, cpuUse(shop)), overloadSeconds));
  const goodput = useful(during).length / overloadSeconds;
  const share = goodput / peak;
  row("goodput at three times the peak, of peak", `${(share * 100).toFixed(0)} %`, "≥ 80 %", share >= 0.8);
  note("goodput in each five seconds of it", `${goodputOverTime(during, 5).join(", ")}/s`);
  note("answers", reasons(during));
  noteLateness(during);
  note(
    "p99 of useful answers",
    `${percentile(
      useful(during).map(({ ms }) => ms),
      0.99,
    ).toFixed(0)} ms`,
  );
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
  noteMachine("after");
}

/** Useful answers a second to what was sent in each part of so many seconds. */
function goodputOverTime(sent: readonly Sent[], seconds: number): number[] {
  const began = sent.reduce((least, { at }) => Math.min(least, at), Number.POSITIVE_INFINITY);
  const parts = Map.groupBy(sent, ({ at }) => Math.floor((at - began) / (seconds * 1_000)));
  return [...parts.keys()]
    .sort((a, b) => a - b)
    .map((part) => Math.round(useful(parts.get(part)!).length / seconds));
}

/**
 * The most useful answers a second that the shop can keep up. The rate is raised until a twentieth of the answers is
 * no use any more, also when looked at once more and for longer. That rate and the one before are then looked at in
 * turns, for long enough: for a few seconds more can be taken than can be done, since orders are answered before their
 * checkout. Of each the median counts.
 */
async function findPeak(load: Load): Promise<number> {
  const isKeptUp = async (rate: number, seconds: number) => {
    await pause(1_000);
    return useful(await load(rate, seconds)).length >= rate * seconds * 0.95;
  };
  let [before, rate] = [firstRate, firstRate];
  while ((await isKeptUp(rate, searchSeconds)) || (await isKeptUp(rate, lookSeconds)))
    [before, rate] = [rate, Math.round(rate * step)];
  const seen = new Map<number, number[]>([before, rate].map((each) => [each, []]));
  for (let look = 0; look < looks; look++)
    for (const [each, goodputs] of seen) {
      await pause(1_000);
      goodputs.push(useful(await load(each, lookSeconds)).length / lookSeconds);
    }
  for (const [each, goodputs] of seen)
    note(`goodput of ${each}/s for ${lookSeconds} s`, `${goodputs.map(Math.round).join(", ")}/s`);
  const peak = Math.max(...[...seen.values()].map((goodputs) => percentile(goodputs, 0.5)));
  note("peak goodput", `${peak.toFixed(0)}/s`);
  return peak;
}
