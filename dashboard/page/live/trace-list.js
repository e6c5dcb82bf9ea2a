/** Traces that match a filter, newest first: those there are, older ones when asked for, new ones as they come. */
import { call } from "../api.js";

/** Most traces the page holds: as many as the dashboard keeps. */
const most = 10_000;
const page = 200;
/** Newest traces that are asked for again when something has come: their spans come one after the other. */
const fresh = 60;

export class TraceList {
  traces = [];
  dropped = 0;
  hasOlder = false;
  problem;
  #busy = false;
  #ended = new AbortController();

  /** @param {object} filter weft.dashboard.v1.ListTracesRequest without before and limit */
  constructor(filter) {
    this.filter = filter;
  }

  end() {
    this.#ended.abort();
  }

  open() {
    return this.#once(async () => {
      this.traces = await this.#ask({ limit: page });
      this.hasOlder = this.traces.length >= page;
    });
  }

  older() {
    if (!this.hasOlder || this.traces.length >= most) return undefined;
    return this.#once(async () => {
      const traces = await this.#ask({ before: this.traces.at(-1).position, limit: page });
      this.traces = [...this.traces, ...traces];
      this.hasOlder = traces.length >= page;
    });
  }

  newer() {
    return this.#once(async () => {
      const traces = await this.#ask({ limit: fresh });
      const known = new Map(this.traces.map((trace) => [trace.traceId, trace]));
      const oldest = Number(traces.at(-1)?.position ?? 0);
      const changed = traces.filter(({ traceId, spans }) => known.get(traceId)?.spans !== spans);
      if (changed.length === 0) return;
      // More came than was asked for: what lies between would be missing.
      if (traces.length === fresh && Number(this.traces[0]?.position ?? 0) < oldest) {
        this.traces = await this.#ask({ limit: page });
        this.hasOlder = this.traces.length >= page;
        return;
      }
      this.traces = [...traces, ...this.traces.filter(({ position }) => Number(position) < oldest)].slice(
        0,
        most,
      );
    });
  }

  async #ask(range) {
    const { traces = [], dropped } = await call(
      "ListTraces",
      { ...this.filter, ...range },
      this.#ended.signal,
    );
    this.dropped = Number(dropped ?? 0);
    this.problem = undefined;
    return traces;
  }

  async #once(task) {
    if (this.#busy) return;
    this.#busy = true;
    try {
      await task();
    } catch (error) {
      if (!this.#ended.signal.aborted) this.problem = error;
    } finally {
      this.#busy = false;
    }
  }
}
