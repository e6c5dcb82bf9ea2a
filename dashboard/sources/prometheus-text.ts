/** Prometheus' text format 0.0.4, as processes answer GET /metrics. */

/** One value of a metric. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const line = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?$/;
const label = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** Samples of the wanted metrics, in the order of the text. What cannot be read is left out. */
export function parseMetrics(text: string, wanted: (name: string) => boolean): Sample[] {
  return text.split("\n").flatMap((each): Sample[] => {
    if (each === "" || each.startsWith("#")) return [];
    const [, name, labels = "", value] = line.exec(each) ?? [];
    if (name === undefined || !wanted(name)) return [];
    return [
      { name, labels: labelsOf(labels), value: value === "+Inf" ? Number.POSITIVE_INFINITY : Number(value) },
    ];
  });
}

function labelsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(label)].map(([, name, value]) => [
      name,
      value!.replace(/\\(.)/g, (_, escaped: string) => (escaped === "n" ? "\n" : escaped)),
    ]),
  );
}
