/**
 * Histograms of durations for the hot path: a record is a few additions to an array that was looked up before.
 * The SDK's instruments take an object of attributes for each record and hash it, which costs more than the rest
 * of a call's telemetry.
 */

/** Upper bounds of the buckets in seconds: what the semantic conventions advise for calls. */
export const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const;

/** Values of the labels of one series, in the order of the labels' names. */
export type LabelValues = readonly string[];

/** One series. */
export class DurationHistogram {
  /** Calls within each bucket alone; the last one holds what is beyond all bounds. */
  readonly counts = new Float64Array(BUCKETS.length + 1);
  seconds = 0;

  record(seconds: number): void {
    let bucket = 0;
    while (bucket < BUCKETS.length && seconds > (BUCKETS[bucket] as number)) bucket++;
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.seconds += seconds;
  }
}

/** All series of one name. */
export class DurationHistograms {
  readonly #name: string;
  readonly #help: string;
  readonly #labels: readonly string[];
  readonly #series: { prefix: string; histogram: DurationHistogram }[] = [];

  /** @param name of Prometheus, in seconds: "rpc_server_call_duration_seconds" */
  constructor(name: string, help: string, labels: readonly string[]) {
    this.#name = name;
    this.#help = help;
    this.#labels = labels;
  }

  /** A new series; the caller keeps it and asks once for each set of values. Empty values are left out. */
  series(values: LabelValues): DurationHistogram {
    const histogram = new DurationHistogram();
    const prefix = this.#labels
      .flatMap((label, index) => (values[index] ? [`${label}="${escaped(values[index])}"`] : []))
      .join(",");
    this.#series.push({ prefix, histogram });
    return histogram;
  }

  /** Prometheus' text format 0.0.4. */
  text(): string {
    if (this.#series.length === 0) return "";
    const lines = [`# HELP ${this.#name} ${this.#help}`, `# TYPE ${this.#name} histogram`];
    for (const { prefix, histogram } of this.#series) {
      let below = 0;
      histogram.counts.forEach((count, bucket) => {
        below += count;
        const bound = BUCKETS[bucket] ?? "+Inf";
        lines.push(`${this.#name}_bucket{${prefix}${prefix && ","}le="${bound}"} ${below}`);
      });
      lines.push(`${this.#name}_sum{${prefix}} ${histogram.seconds}`);
      lines.push(`${this.#name}_count{${prefix}} ${below}`);
    }
    return `${lines.join("\n")}\n`;
  }
}

function escaped(value: string): string {
  return value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n");
}
