import type { Duration } from "@bufbuild/protobuf/wkt";

/** Milliseconds of a google.protobuf.Duration; undefined for none. */
export function milliseconds(duration: Duration | undefined): number | undefined {
  return duration ? Number(duration.seconds) * 1_000 + Math.round(duration.nanos / 1e6) : undefined;
}
