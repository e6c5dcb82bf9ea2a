/**
 * When a burning error budget wakes somebody: multi-window, multi-burn-rate alerts of the SRE workbook
 * (sre.google/workbook/alerting-on-slos), whose numbers are for 30 days; the windows shrink and grow with the
 * objective's period.
 */
const THIRTY_DAYS_MS = 30 * 24 * 3_600_000;
const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];

export interface BurnWindow {
  readonly severity: "page" | "ticket";
  /** How many times faster than allowed the budget burns. */
  readonly factor: number;
  /** Long enough to mean something, and short enough to end the alert soon after the trouble. */
  readonly long: string;
  readonly short: string;
}

export function burnWindows(periodMs: number): BurnWindow[] {
  const scaled = (ms: number) =>
    promDuration(Math.max(MINUTE, Math.round((ms * periodMs) / THIRTY_DAYS_MS / 1_000) * 1_000));
  return [
    { severity: "page", factor: 14.4, long: scaled(HOUR), short: scaled(5 * MINUTE) },
    { severity: "page", factor: 6, long: scaled(6 * HOUR), short: scaled(30 * MINUTE) },
    { severity: "ticket", factor: 3, long: scaled(DAY), short: scaled(2 * HOUR) },
    { severity: "ticket", factor: 1, long: scaled(3 * DAY), short: scaled(6 * HOUR) },
  ];
}

/** "90s", "5m", "6h", "3d": the largest unit that divides it. */
function promDuration(ms: number): string {
  const units = [
    [DAY, "d"],
    [HOUR, "h"],
    [MINUTE, "m"],
  ] as const;
  const unit = units.find(([size]) => ms % size === 0);
  return unit ? `${ms / unit[0]}${unit[1]}` : `${ms / 1_000}s`;
}
