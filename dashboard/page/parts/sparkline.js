/** A line of one or more signals over time. Seconds without samples are gaps, not zeros. */
import { duration } from "../format.js";
import { el } from "../render.js";

const width = 300;
const height = 56;
/** Time that the width stands for at least, in milliseconds. */
const leastMs = 60_000;

/**
 * @param {{ name: string, points: { at: number, value: number | undefined }[] }[]} lines
 * @param {{ label: string, seconds: number, most?: number, format: (value: number) => string }} options
 *   `most` is the top of the scale; without it the largest value is
 */
export function sparkline(lines, { label, seconds, most, format }) {
  const values = lines.flatMap(({ points }) => points.flatMap(({ value }) => value ?? []));
  if (values.length === 0) return el("div", { class: "no-samples" }, "no samples");
  const top = most ?? Math.max(...values) * 1.1;
  const times = lines.flatMap(({ points }) => points.map(({ at }) => at));
  const end = Math.max(...times);
  // A system that has just begun fills the width with what there is.
  const span = Math.min(seconds * 1000, Math.max(leastMs, end - Math.min(...times)));
  const x = (at) => width - ((end - at) / span) * width;
  const y = (value) => height - 1 - (top > 0 ? value / top : 0) * (height - 3);
  const about = `${label}: lowest ${format(Math.min(...values))}, highest ${format(Math.max(...values))}`;
  return el(
    "div",
    { class: "sparkline" },
    el(
      "svg:svg",
      { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": about },
      el("svg:line", { class: "base", x1: 0, x2: width, y1: height - 1, y2: height - 1 }),
      lines.map(({ name, points }) =>
        el("svg:path", { key: name, class: `line ${name}`, d: pathOf(points, x, y) }),
      ),
    ),
    el(
      "p",
      { class: "range", "aria-hidden": "true" },
      `${format(Math.min(...values))} to ${format(Math.max(...values))} in ${duration(Math.ceil(span / 1000))}`,
    ),
  );
}

/** Two points further apart than this have a gap between them, in milliseconds: an idle dashboard looks every 5 s. */
const gapMs = 7_000;

function pathOf(points, x, y) {
  let path = "";
  let last;
  for (const { at, value } of points) {
    if (value === undefined) {
      last = undefined;
      continue;
    }
    const isBegin = last === undefined || at - last > gapMs;
    // A lone sample is drawn as a dot's width.
    path += isBegin
      ? `M${x(at).toFixed(1)} ${y(value).toFixed(1)}h0.6`
      : `L${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    last = at;
  }
  return path;
}
