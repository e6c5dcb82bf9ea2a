/** `npm run bench:dashboard`: an hour of load in a minute, and what the dashboard and its page hold of it. */
import { parseArgs } from "node:util";
import type { Page } from "playwright-core";
import { chromiumPath, startChromium } from "../../browser/chromium.ts";
import { clickMs, type DashboardWindow, openDashboard } from "../../browser/dashboard-window.ts";
import { floodLogs, floodTraces } from "../../browser/flood.ts";
import { startShop } from "../../system/shop.ts";
import { residentBytes } from "../edge/cpu-time.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "60" }, spans: { type: "string", default: "100" } },
});
const rounds = Number(values.rounds);
const spansPerTrace = Number(values.spans);
const spansPerRound = 16_000;
const linesPerRound = 16_000;
const reports = 6;

/** Runs in the page: how far apart the ticks were that it was given since it was asked last. */
const timeTicks = `(() => {
  let last = performance.now();
  let longest = 0;
  const count = () => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  };
  globalThis.longestTick = () => { const answer = longest; longest = 0; return answer; };
  let heard = globalThis.heardTicks.length;
  setInterval(() => { if (globalThis.heardTicks.length > heard) { heard = globalThis.heardTicks.length; count(); } }, 50);
})()`;

if (!chromiumPath) {
  console.log("skipped: needs chromium (set CHROMIUM_BIN, or install Debian's package)");
  process.exit(0);
}
const [shop, browser] = await Promise.all([startShop(), startChromium()]);
const baseUrl = `http://127.0.0.1:${shop.servicePort("dashboard")}`;
try {
  const dashboard = await openDashboard(browser, baseUrl);
  await dashboard.open("traces");
  await dashboard.page.evaluate(timeTicks);
  console.log("millions of spans  memory MiB  heap of the page MiB  longest tick ms  click ms");
  await report(dashboard, 0);
  for (let round = 1; round <= rounds; round++) {
    floodLogs(shop.dataDir, "user", linesPerRound);
    await floodTraces(baseUrl, Math.round(spansPerRound / spansPerTrace), spansPerTrace);
    if (round % Math.ceil(rounds / reports) === 0) await report(dashboard, round);
  }
} finally {
  await browser.close();
  await shop.stop();
}

async function report({ page, open }: DashboardWindow, round: number): Promise<void> {
  const longest = await page.evaluate<number>("globalThis.longestTick()");
  const toTraces = async () => {
    await open("traces");
    await page.locator('main[data-view="traces"]').waitFor();
  };
  await toTraces();
  const click = await clickMs(page, 'nav a[href="#/logs"]', ".log-row", toTraces);
  const memory = residentBytes(await pidOf("dashboard")) / 2 ** 20;
  const heap = (await heapBytes(page)) / 2 ** 20;
  const figures = [(round * spansPerRound) / 1e6, memory, heap, longest, click];
  const widths = [17, 12, 22, 17, 10];
  console.log(
    figures.map((value, index) => value.toFixed(index === 0 ? 2 : 0).padStart(widths[index]!)).join(""),
  );
}

async function pidOf(name: string): Promise<number> {
  const headers = { "content-type": "application/json", "x-weft-dashboard": "1" };
  const list = `${baseUrl}/weft.dashboard.v1.DashboardService/ListProcesses`;
  const reply = await fetch(list, { method: "POST", headers, body: "{}" });
  const { processes } = (await reply.json()) as { processes: { name: string; pid: number }[] };
  return processes.find((process) => process.name === name)!.pid;
}

async function heapBytes(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  return usedSize;
}
