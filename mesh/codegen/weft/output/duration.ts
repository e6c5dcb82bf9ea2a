/** "1500ms" or "5s": durations as Go's time.ParseDuration and Kubernetes read them. */
export function goDuration(ms: number): string {
  return ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`;
}

/** "1.5s": google.protobuf.Duration in JSON, which knows seconds only. */
export function protoDuration(ms: number): string {
  return `${ms / 1_000}s`;
}

/**
 * Gateway API's duration (GEP-2257): whole numbers of at most five digits and the units h, m, s and ms, so that
 * 600 s is fine and 100,000 s is "27h46m40s".
 */
export function gatewayDuration(ms: number): string {
  if (ms === 0) return "0s";
  const parts = [
    [Math.floor(ms / 3_600_000), "h"],
    [Math.floor(ms / 60_000) % 60, "m"],
    [Math.floor(ms / 1_000) % 60, "s"],
    [ms % 1_000, "ms"],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count}${unit}`)
    .join("");
}
