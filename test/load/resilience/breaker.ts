/** The breaker of the edge before an upstream that fails, heals, and fails a little; and what a failing one is asked. */
import { libraryMethod } from "#mesh/runtime/policy/testdata/library-method.ts";
import { startLibraryEdge } from "../../../edge/testdata/library-edge.ts";
import { fails, startLibraryUpstream } from "../../../edge/testdata/library-upstream.ts";
import { http, runLoad } from "./open-loop.ts";
import { note, percentile, row } from "./table.ts";

const rps = 50;
const method = libraryMethod({
  access: { rule: { case: "public", value: true } },
  retry: { attempts: 2, codes: ["UNAVAILABLE"] },
});

export async function measureBreaker(): Promise<void> {
  const upstream = await startLibraryUpstream();
  const edge = await startLibraryEdge(method, upstream);
  /** Share of calls that fail. */
  let share = 0;
  let failing = 0;
  upstream.answers.shift = () => {
    if (share === 0) return undefined;
    failing += share;
    if (failing < 1) return undefined;
    failing -= 1;
    return fails(14);
  };
  const load = (seconds: number) =>
    runLoad({
      ...{ port: edge.port, requests: [http("GET", "/v1/books/7")], rps, seconds },
      ...{ connections: 50, timeoutMs: 5_000 },
    });
  const refused = ({ status, ms }: { status: number; ms: number }) => status === 503 && ms < 20;
  try {
    await load(10);
    // Down: until the first call that fails without the upstream having been asked.
    const before = upstream.calls.length;
    share = 1;
    const began = Date.now();
    const down = await load(8);
    const asked = upstream.calls.length - before;
    const times = down.map(({ at }) => at - began);
    const lastAsked = times.filter((_, i) => down[i]!.status === 503).length;
    const openedAt = openAt(edge.breakerLog, began);
    row("breaker opens after", `${openedAt} ms`, "≤ 2 s", openedAt <= 2_000);
    const open = down.filter(({ at }) => at - began > 3_000).map(({ ms }) => ms);
    row(
      "fails fast while open, p99",
      `${percentile(open, 0.99).toFixed(1)} ms`,
      "≤ 10 ms",
      percentile(open, 0.99) <= 10,
    );
    note("503 of the failing 8 s", `${lastAsked} of ${down.length}`);
    row(
      "asked of a dependency that always fails, a request",
      (asked / down.length).toFixed(2),
      "≤ 1.1",
      asked / down.length <= 1.1,
    );

    share = 0;
    const healed = Date.now();
    const up = await load(8);
    const firstGood = up.filter(({ status }) => status === 200).map(({ at }) => at - healed);
    const closes = Math.min(...firstGood);
    const stray = up.filter((sent) => sent.at - healed > closes + 500 && refused(sent)).length;
    row("closes after healing", `${closes} ms`, "≤ 5 s", closes <= 5_000 && stray === 0);

    share = 0.1;
    const opened = edge.breakerLog.filter(({ state }) => state === "open").length;
    await load(20);
    const again = edge.breakerLog.filter(({ state }) => state === "open").length - opened;
    row("opens while one call in ten fails, 20 s", String(again), "never", again === 0);
  } finally {
    await edge.stop();
    await upstream.stop();
  }
}

function openAt(log: readonly { at: number; state: string }[], began: number): number {
  return (
    (log.find(({ at, state }) => at >= began && state === "open")?.at ?? Number.POSITIVE_INFINITY) - began
  );
}
