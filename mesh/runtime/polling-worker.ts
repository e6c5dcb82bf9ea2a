import { setTimeout as pause } from "node:timers/promises";
import type { Worker } from "./service.ts";

/** A loop that looks for work. */
export interface Polling {
  /** One look. `signal` is aborted when the worker is stopped. @returns whether more waits already */
  round(signal: AbortSignal): Promise<boolean>;
  /** Milliseconds between two looks when nothing waits. */
  readonly pollMs: number;
  /** Milliseconds after a look that failed. */
  readonly pauseAfterErrorMs: number;
  onError(error: unknown): void;
}

/** A worker that looks again and again until it is stopped; a look that failed is tried again, too. */
export function pollingWorker({ round, pollMs, pauseAfterErrorMs, onError }: Polling): Worker {
  const stopping = new AbortController();
  const { signal } = stopping;
  let running: Promise<void> | undefined;
  const loop = async () => {
    while (!signal.aborted) {
      let wait = 0;
      try {
        wait = (await round(signal)) ? 0 : pollMs;
      } catch (error) {
        onError(error);
        wait = pauseAfterErrorMs;
      }
      await pause(wait, undefined, { signal }).catch(() => {}); // stopped
    }
  };
  return {
    start() {
      running ??= loop();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
