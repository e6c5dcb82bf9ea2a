/** The golden signals of the last hour: what was before the page came, and a point with each tick. */
import { call } from "../api.js";

const mostSeconds = 3600;

export class Series {
  points = [];

  async load() {
    const { points = [] } = await call("GetSeries");
    const since = points.length > 0 ? Date.parse(points.at(-1).time) : 0;
    this.points = [...points, ...this.points.filter(({ time }) => Date.parse(time) > since)];
  }

  add(point) {
    if (!point) return;
    this.points.push(point);
    const oldest = Date.parse(point.time) - mostSeconds * 1000;
    const gone = this.points.findIndex(({ time }) => Date.parse(time) >= oldest);
    if (gone > 0) this.points.splice(0, gone);
  }

  /** @returns {{ at: number, value: number | undefined }[]} of the last `seconds`; `at` in milliseconds */
  signal(pick, seconds) {
    const end = Date.parse(this.points.at(-1)?.time ?? 0);
    return this.points
      .filter(({ time }) => Date.parse(time) > end - seconds * 1000)
      .map((point) => ({ at: Date.parse(point.time), value: pick(point) }));
  }
}
