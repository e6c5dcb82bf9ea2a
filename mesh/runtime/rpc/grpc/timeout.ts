/** The header grpc-timeout (gRPC over HTTP/2, "Timeout"). */
import { Code, ConnectError } from "@connectrpc/connect";

/** Node fires timers above 2^31 - 1 ms (24 days) at once; longer times are cut to it. */
export const longestTimerMs = 2 ** 31 - 1;

const unitMs: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/**
 * Milliseconds that a caller gives.
 * @throws ConnectError INVALID_ARGUMENT for a malformed value
 */
export function parseTimeout(value: string): number {
  const match = /^(\d{1,8})([HMSmun])$/.exec(value);
  if (!match) {
    const reason = "grpc-timeout: must be 1 to 8 digits and a unit of H, M, S, m, u or n";
    throw new ConnectError(reason, Code.InvalidArgument);
  }
  return Number(match[1]) * (unitMs[match[2] as string] as number);
}

/** The header's value for positive milliseconds, rounded down to what eight digits can say. */
export function formatTimeout(ms: number): string {
  if (ms < 1) return `${Math.max(1, Math.floor(ms * 1e6))}n`;
  if (ms < 1e8) return `${Math.floor(ms)}m`;
  return `${Math.min(99_999_999, Math.floor(ms / 1_000))}S`;
}

/** When a request with these headers, sent now, must be done, in milliseconds since 1970; Infinity without a timeout. */
export function deadlineOf(headers: Headers): number {
  const value = headers.get("grpc-timeout");
  return value === null ? Number.POSITIVE_INFINITY : Date.now() + parseTimeout(value);
}
