/**
 * Call figures, from what processes count: every caller has a histogram of the calls it makes and every server of
 * those it answers, by method and status. What happened lately is the difference of two looks.
 */
import { parseMetrics, type Sample } from "./prometheus-text.ts";

/** Calls of one method with one status, counted since the process began. */
interface Counted {
  readonly count: number;
  /** Seconds of all of them together. */
  readonly sum: number;
  /** Upper bound in seconds → calls up to it. */
  readonly buckets: ReadonlyMap<number, number>;
}

/** One look at a process. */
interface Look {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** "METRIC\0METHOD\0PEER\0CODE" → what was counted. */
  readonly calls: ReadonlyMap<string, Counted>;
  /** Values of gauges and counters without a histogram, by name and then labels. */
  readonly others: readonly Sample[];
}

/** Calls in a window. */
export interface CallFigures {
  /** Which metric they were counted by. */
  readonly metric: string;
  /** "pkg.v1.Service/Method" */
  readonly method: string;
  /** Who was called, where a caller counted, or who called and proved it, where a server did; else empty. */
  readonly peer: string;
  readonly codes: ReadonlyMap<string, number>;
  readonly count: number;
  /** Seconds of all of them together. */
  readonly sum: number;
  readonly buckets: ReadonlyMap<number, number>;
}

export const clientCalls = "rpc_client_call_duration_seconds";
export const serverCalls = "rpc_server_call_duration_seconds";
export const edgeRequests = "http_server_request_duration_seconds";

const histograms = [clientCalls, serverCalls, edgeRequests];
const methodLabels = ["rpc_method"];
const codeLabels = ["rpc_response_status_code", "http_response_status_code"];
/** Other metrics that are shown. */
const others = /^(weft_|nodejs_|process_|v8js_|target_info$)/;
/** Milliseconds over which calls are counted, and for how long looks are kept for it. */
export const windowMs = 10_000;

/** Codes that are the server's fault, not its caller's (semantic conventions for gRPC), or HTTP's. */
const faults = new Set([
  "UNKNOWN",
  "DEADLINE_EXCEEDED",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
]);

export function isFault(code: string): boolean {
  return faults.has(code) || /^5\d\d$/.test(code);
}

/** Looks at processes, and what they say happened in between. */
export class Metrics {
  readonly #looks = new Map<string, Look[]>();

  /** Adds a look. @param text answer of GET /metrics */
  add(process: string, text: string, at: number): void {
    const samples = parseMetrics(
      text,
      (name) => others.test(name) || histograms.some((histogram) => name.startsWith(`${histogram}_`)),
    );
    const look = { at, calls: countedIn(samples), others: samples.filter(({ name }) => others.test(name)) };
    const looks = [...(this.#looks.get(process) ?? []), look];
    // One look older than the window is needed to have all of it.
    while (looks.length > 2 && looks[1]!.at <= at - windowMs) looks.shift();
    this.#looks.set(process, looks);
  }

  /** Forgets processes that are not there any more. */
  keep(processes: ReadonlySet<string>): void {
    for (const name of this.#looks.keys()) if (!processes.has(name)) this.#looks.delete(name);
  }

  /** Calls that a process counted in the last window, and its length; empty without two looks. */
  calls(process: string, now: number): { seconds: number; figures: CallFigures[] } {
    const looks = this.#looks.get(process) ?? [];
    const [last, first] = [looks.at(-1), looks[0]];
    if (!last || !first || last === first || last.at < now - windowMs) return { seconds: 0, figures: [] };
    const byMethod = new Map<
      string,
      CallFigures & { codes: Map<string, number>; buckets: Map<number, number> }
    >();
    for (const [key, counted] of last.calls) {
      const before = first.calls.get(key);
      // A process that began anew counts from nought.
      const restarted = before !== undefined && before.count > counted.count;
      const count = counted.count - (restarted ? 0 : (before?.count ?? 0));
      if (count <= 0) continue;
      const [metric, method, peer, code] = key.split("\0") as [string, string, string, string];
      const id = `${metric}\0${method}\0${peer}`;
      const known = byMethod.get(id) ?? {
        metric,
        method,
        peer,
        codes: new Map(),
        count: 0,
        sum: 0,
        buckets: new Map(),
      };
      known.codes.set(code, (known.codes.get(code) ?? 0) + count);
      for (const [bound, upTo] of counted.buckets) {
        const earlier = restarted ? 0 : (before?.buckets.get(bound) ?? 0);
        known.buckets.set(bound, (known.buckets.get(bound) ?? 0) + upTo - earlier);
      }
      const sum = counted.sum - (restarted ? 0 : (before?.sum ?? 0));
      byMethod.set(id, { ...known, count: known.count + count, sum: known.sum + sum });
    }
    return { seconds: (last.at - first.at) / 1_000, figures: [...byMethod.values()] };
  }

  /** Who ever called and proved it by a certificate, since the process began; "unknown": somebody who did not. */
  callers(process: string): Set<string> {
    const keys = [...(this.#looks.get(process)?.at(-1)?.calls.keys() ?? [])].map((key) => key.split("\0"));
    return new Set(keys.filter(([metric]) => metric === serverCalls).map(([, , peer]) => peer as string));
  }

  hasLook(process: string): boolean {
    return this.#looks.has(process);
  }

  /** Values of a gauge or counter at the last look. */
  values(process: string, name: string): Sample[] {
    return (
      this.#looks
        .get(process)
        ?.at(-1)
        ?.others.filter((sample) => sample.name === name) ?? []
    );
  }
}

function countedIn(samples: readonly Sample[]): Map<string, Counted> {
  const calls = new Map<string, { count: number; sum: number; buckets: Map<number, number> }>();
  for (const { name, labels, value } of samples) {
    const [, histogram, part] = /^(.*)_(count|sum|bucket)$/.exec(name) ?? [];
    if (histogram === undefined || !histograms.includes(histogram)) continue;
    const method = firstOf(labels, methodLabels);
    // Pages of the edge, such as its state, which we ask for each second, are no calls.
    if (histogram === edgeRequests && method === "") continue;
    const peer = labels.weft_callee ?? labels.weft_caller ?? "";
    const key = [histogram, method, peer, firstOf(labels, codeLabels)].join("\0");
    const counted = calls.get(key) ?? { count: 0, sum: 0, buckets: new Map() };
    calls.set(key, counted);
    if (part === "count") counted.count += value;
    else if (part === "sum") counted.sum += value;
    else {
      const bound = labels.le === "+Inf" ? Number.POSITIVE_INFINITY : Number(labels.le);
      counted.buckets.set(bound, (counted.buckets.get(bound) ?? 0) + value);
    }
  }
  return calls;
}

function firstOf(labels: Readonly<Record<string, string>>, names: readonly string[]): string {
  return names.map((name) => labels[name]).find((value) => value !== undefined) ?? "";
}

/** Several figures as one. */
export function sumOf(figures: readonly CallFigures[]): Omit<CallFigures, "method" | "metric" | "peer"> {
  const codes = new Map<string, number>();
  const buckets = new Map<number, number>();
  for (const each of figures) {
    for (const [code, count] of each.codes) codes.set(code, (codes.get(code) ?? 0) + count);
    for (const [bound, count] of each.buckets) buckets.set(bound, (buckets.get(bound) ?? 0) + count);
  }
  const total = (of: (each: CallFigures) => number) => figures.reduce((sum, each) => sum + of(each), 0);
  return { codes, buckets, count: total(({ count }) => count), sum: total(({ sum }) => sum) };
}

/**
 * Duration in milliseconds that a share of calls stayed below, estimated like Prometheus' histogram_quantile: even
 * within a bucket, and never beyond the largest bound. Of few calls the sum knows more: one call took all of it, and
 * no call took more than the sum leaves when the others were as short as their buckets allow.
 * @returns undefined without calls
 */
export function quantileMs(
  { buckets, count, sum }: Pick<CallFigures, "buckets" | "count" | "sum">,
  share: number,
): number | undefined {
  const sorted = [...buckets].sort(([a], [b]) => a - b);
  const total = sorted.at(-1)?.[1] ?? 0;
  if (total === 0) return undefined;
  if (count === 1) return sum * 1_000;
  const wanted = share * total;
  let [lower, below] = [0, 0];
  let estimate: number | undefined;
  let [others, longest] = [0, 0];
  for (const [bound, upTo] of sorted) {
    if (estimate === undefined && upTo >= wanted) {
      const within = upTo === below ? 1 : (wanted - below) / (upTo - below);
      estimate = bound === Number.POSITIVE_INFINITY ? lower : lower + (bound - lower) * within;
    }
    others += (upTo - below) * lower;
    if (upTo > below) longest = lower;
    [lower, below] = [bound, upTo];
  }
  const most = sum - (others - longest);
  return Math.min(estimate ?? lower, Math.max(most, longest)) * 1_000;
}
