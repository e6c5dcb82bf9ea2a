/** Figures and tables for people. */
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { timestampDate } from "@bufbuild/protobuf/wkt";

/** Columns as wide as they need to be; the last one is not filled up. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]!.length)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((text, column) => text.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** "2.1 MB"; "-" when not known. */
export function bytes(count: bigint | number | undefined): string {
  if (count === undefined) return "-";
  let value = Number(count);
  for (const unit of ["B", "kB", "MB", "GB"]) {
    if (value < 1_024 || unit === "GB")
      return `${value >= 100 || unit === "B" ? Math.round(value) : value.toFixed(1)} ${unit}`;
    value /= 1_024;
  }
  return "-";
}

/** "12.3 ms", "1.2 s"; "-" when not known. */
export function milliseconds(ms: number | undefined): string {
  if (ms === undefined) return "-";
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(ms >= 10_000 ? 0 : 1)} s`;
  return `${ms.toFixed(ms >= 100 ? 0 : 1)} ms`;
}

/** "99.5 %"; "-" when not known. */
export function percent(share: number | undefined): string {
  return share === undefined ? "-" : `${Number((share * 100).toPrecision(4))} %`;
}

/** "12.3/s"; "-" when not known. */
export function rate(perSecond: number | undefined): string {
  return perSecond === undefined
    ? "-"
    : `${perSecond >= 100 ? Math.round(perSecond) : perSecond.toFixed(1)}/s`;
}

/** "3 h 12 min" since then; "-" when not known. */
export function since(time: Timestamp | undefined, now = Date.now()): string {
  if (!time) return "-";
  const seconds = Math.max(0, Math.round((now - timestampDate(time).getTime()) / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "12:34:56.789" of this machine's day. */
export function clock(time: Timestamp | undefined): string {
  return time ? timestampDate(time).toISOString().slice(11, 23) : "-";
}

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000 };

/** Milliseconds of "500ms", "2s", "10m"; undefined for anything else. */
export function durationOf(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|min|h)$/.exec(text) ?? [];
  return number === undefined ? undefined : Number(number) * units[unit!]!;
}

/** A share of "30%" or "0.3"; undefined for anything else. */
export function shareOf(text: string): number | undefined {
  const [, number, sign] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  const share = number === undefined ? undefined : Number(number) / (sign ? 100 : 1);
  return share !== undefined && share > 0 && share <= 1 ? share : undefined;
}
