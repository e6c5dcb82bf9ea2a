import { setTimeout as pause } from "node:timers/promises";
import type { SystemInTest } from "./system-under-test.ts";

/** What the harness adds to a system's evidence. */
export interface Rest {
  readonly finalAfter: number | undefined;
  readonly quietAfter: number | undefined;
  readonly unfinished: string;
}

/** Longest wait for final work and then for what follows from it, in milliseconds. */
const finalPatience = 120_000;
const quietPatience = 60_000;

/** Waits after the last fault until all work is final and nothing follows from it any more, or patience ends. */
export async function waitUntilQuiet(system: SystemInTest<unknown>, lastFault: number): Promise<Rest> {
  let finalAfter: number | undefined;
  let unfinished = "nothing could be read";
  for (;;) {
    const now = Date.now() - lastFault;
    try {
      const { open, rest } = await system.underWay();
      if (open === 0) finalAfter ??= now;
      unfinished = [...(open ? [`${open} are not final`] : []), ...(rest ? [rest] : [])].join(", ");
      if (unfinished === "") return { finalAfter, quietAfter: now, unfinished };
    } catch (error) {
      unfinished = (error as Error).message; // a database is still starting
    }
    if (now > (finalAfter === undefined ? finalPatience : finalAfter + quietPatience))
      return { finalAfter, quietAfter: undefined, unfinished };
    await pause(200);
  }
}
