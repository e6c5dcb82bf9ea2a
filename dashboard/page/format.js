/** Figures and times as people read them. Nothing known is a dash, never 0. */
export const nothing = "–";

const number = new Intl.NumberFormat("en");
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export const count = (value) => (value === undefined ? nothing : number.format(Number(value)));

/** 0.04 → "0.04", 3.14 → "3.1", 512.3 → "512" */
export function figure(value) {
  if (value === undefined) return nothing;
  if (value === 0) return "0";
  return value < 1 ? value.toPrecision(1) : value < 10 ? value.toFixed(1) : number.format(Math.round(value));
}

export const rate = (value) => (value === undefined ? nothing : `${figure(value)}/s`);

/** @param {number | undefined} value milliseconds */
export function ms(value) {
  if (value === undefined) return nothing;
  if (value === 0) return "0 ms";
  if (value < 1) return `${value.toFixed(2)} ms`;
  if (value < 1000) return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
  return value < 60_000 ? `${(value / 1000).toFixed(value < 10_000 ? 2 : 1)} s` : duration(value / 1000);
}

/** Never rounded up to 100 %. @param {number | undefined} share 0 to 1 */
export function percent(share) {
  if (share === undefined) return nothing;
  if (share === 1 || share === 0) return `${share * 100} %`;
  return `${Math.floor(share * 1000) / 10} %`;
}

export function bytes(value) {
  if (value === undefined) return nothing;
  const size = Number(value);
  if (size < 1024) return `${size} B`;
  const [amount, unit] =
    size < 2 ** 20
      ? [size / 2 ** 10, "KiB"]
      : size < 2 ** 30
        ? [size / 2 ** 20, "MiB"]
        : [size / 2 ** 30, "GiB"];
  return `${amount < 10 ? amount.toFixed(1) : Math.round(amount)} ${unit}`;
}

/** 95 → "1 min 35 s" @param {number} seconds */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return joined([Math.floor(whole / 60), "min"], [whole % 60, "s"]);
  if (whole < 86_400)
    return joined([Math.floor(whole / 3600), "h"], [Math.floor((whole % 3600) / 60), "min"]);
  return joined([Math.floor(whole / 86_400), "d"], [Math.floor((whole % 86_400) / 3600), "h"]);
}

const joined = (...parts) =>
  parts
    .filter(([amount]) => amount > 0)
    .map((part) => part.join(" "))
    .join(" ");

/** Time of day. @param {string | undefined} time RFC 3339 */
export const timeOfDay = (time) => (time ? clock.format(new Date(time)) : nothing);

/** Time of day with milliseconds. */
export const exactTime = (time) =>
  time
    ? `${clock.format(new Date(time))}.${String(new Date(time).getMilliseconds()).padStart(3, "0")}`
    : nothing;

/** How long ago, at the time of the newest tick. */
export const since = (time, now) => (time ? duration((now - Date.parse(time)) / 1000) : nothing);

/** READY → "ready", NOT_READY → "not ready" */
export const words = (name = "") => name.toLowerCase().replaceAll("_", " ");

/** pkg.v1.Service/Method → Service/Method; every other name stays. */
export const shortMethod = (name = "") => name.replace(/^(?:\w+\.)+(\w+\/[\w*]+)$/, "$1");
