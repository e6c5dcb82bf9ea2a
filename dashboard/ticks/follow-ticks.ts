import type { Tick } from "#gen/weft/dashboard/v1/dashboard_pb.ts";
import type { Ticker } from "./ticker.ts";

/** Most ticks that wait for a slow reader; one that is slower loses the oldest, and sees a jump. */
const mostWaiting = 600;

/**
 * Ticks after a sequence number that are still there, then each new one, until the signal.
 * @param after 0: from the newest on
 */
export async function* followTicks(ticker: Ticker, after: number, signal: AbortSignal): AsyncGenerator<Tick> {
  const { ticks } = ticker;
  // A number of an earlier life of the dashboard says nothing about this one's.
  const known = after > 0 && after <= ticks.last ? after : ticks.last - 1;
  const waiting: Tick[] = [...ticks.after(Math.max(0, known))];
  let wake = () => {};
  const hear = (tick: Tick) => {
    waiting.push(tick);
    if (waiting.length > mostWaiting) waiting.shift();
    wake();
  };
  const end = ticker.watch(hear);
  const onAbort = () => wake();
  signal.addEventListener("abort", onAbort);
  try {
    while (!signal.aborted) {
      const next = waiting.shift();
      if (next) yield next;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    end();
  }
}
