import type { Meter } from "@opentelemetry/api";
import type { Logger } from "../telemetry/log.ts";

/** The breaker of one method of an upstream, as it is now. Counts are since the process began. */
export interface BreakerView {
  readonly upstream: string;
  /** Full name: "pkg.v1.Service/Method". */
  readonly method: string;
  readonly state: "closed" | "open" | "half-open";
  readonly opened: number;
  readonly rejectedOpen: number;
  readonly rejectedFull: number;
  /** Calls that may be in flight now, where that is adapted to how long they take. */
  readonly limit?: number;
}

const stateNumbers = { closed: 0, "half-open": 1, open: 2 } as const;

/** All breakers of a process, for those who want to see them. */
export class BreakerBoard {
  readonly #views: (() => BreakerView)[] = [];
  readonly #log: Pick<Logger, "warn">;

  /** @param log told when a breaker opens and closes */
  constructor(log: Pick<Logger, "warn">) {
    this.#log = log;
  }

  /** @param view reads a breaker that has come into use */
  add(view: () => BreakerView): void {
    this.#views.push(view);
  }

  /** For a breaker's `onChange`. */
  changed(upstream: string, method: string, state: "open" | "closed"): void {
    this.#log.warn({ upstream, rpc: method, breaker: state }, "breaker");
  }

  /** By upstream and method. */
  list(): BreakerView[] {
    const key = ({ upstream, method }: BreakerView) => `${upstream} ${method}`;
    return this.#views.map((view) => view()).sort((a, b) => (key(a) < key(b) ? -1 : 1));
  }

  /** Shows them as metrics. */
  observe(meter: Meter): void {
    const state = meter.createObservableGauge("weft.breaker.state", {
      description: "0 closed, 1 one call on trial, 2 open",
    });
    const opened = meter.createObservableCounter("weft.breaker.opened", {
      description: "Times a breaker has opened",
    });
    const rejected = meter.createObservableCounter("weft.breaker.rejected", {
      description: "Calls refused before they left: the breaker was open, or too many were in flight",
    });
    const limit = meter.createObservableGauge("weft.concurrency.limit", {
      description: "Calls that may be in flight, adapted to how long they take",
    });
    meter.addBatchObservableCallback(
      (result) => {
        for (const view of this.list()) {
          const labels = { upstream: view.upstream, method: view.method };
          result.observe(state, stateNumbers[view.state], labels);
          result.observe(opened, view.opened, labels);
          result.observe(rejected, view.rejectedOpen, { ...labels, reason: "open" });
          result.observe(rejected, view.rejectedFull, { ...labels, reason: "full" });
          if (view.limit !== undefined) result.observe(limit, view.limit, labels);
        }
      },
      [state, opened, rejected, limit],
    );
  }
}
