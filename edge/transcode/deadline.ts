import type { IncomingHttpHeaders } from "node:http";
import { malformed } from "./status.ts";

const UNIT_MS: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };
/** Node fires timers above 2^31 - 1 ms (24 days) at once; longer deadlines are cut to it. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Milliseconds the caller gives: the smaller of `grpc-timeout` (gRPC over HTTP/2) and `x-server-timeout`
 * (seconds, fractions allowed); undefined for none.
 * @throws StatusError INVALID_ARGUMENT for a malformed header
 */
export function readTimeout(headers: IncomingHttpHeaders): number | undefined {
  const grpc = headers["grpc-timeout"];
  const server = headers["x-server-timeout"];
  if (grpc === undefined && server === undefined) return undefined;
  return Math.min(
    LONGEST_TIMER_MS,
    grpc === undefined ? Number.POSITIVE_INFINITY : grpcTimeout(grpc),
    server === undefined ? Number.POSITIVE_INFINITY : seconds(server),
  );
}

function grpcTimeout(value: string | string[]): number {
  const match = /^(\d{1,8})([HMSmun])$/.exec(String(value));
  if (!match) throw malformed("grpc-timeout: must be 1 to 8 digits and a unit of H, M, S, m, u or n");
  return Number(match[1]) * UNIT_MS[match[2]!]!;
}

function seconds(value: string | string[]): number {
  if (!/^\d{1,15}(?:\.\d{1,9})?$/.test(String(value)))
    throw malformed("x-server-timeout: must be a number of seconds");
  return Number(value) * 1000;
}

/** `grpc-timeout` for the milliseconds left (at most LONGEST_TIMER_MS), rounded down to what eight digits can say. */
export function formatTimeout(ms: number): string {
  if (ms < 1) return `${Math.max(1, Math.floor(ms * 1e6))}n`;
  return ms < 1e8 ? `${Math.floor(ms)}m` : `${Math.floor(ms / 1000)}S`;
}
