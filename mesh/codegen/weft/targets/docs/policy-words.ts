/** Policy in words for people. */
import { ANYBODY, type MeshMethod, type Policy } from "../../contract/model.ts";

/** "1.5 s", "250 ms", "30 days" */
export function time(ms: number): string {
  if (ms < 1_000) return `${ms} ms`;
  if (ms < 172_800_000) return `${ms / 1_000} s`;
  return `${Number((ms / 86_400_000).toPrecision(3))} days`;
}

export function accessWords({ access }: Policy): string {
  switch (access.kind) {
    case "public":
      return "anybody";
    case "signed_in":
      return "signed-in users";
    case "roles":
      return `users with the role ${access.roles.join(" or ")}`;
    case "owner":
      return `the owner (${access.ownedBy})${access.roles.length > 0 ? `, or ${access.roles.join(" or ")}` : ""}`;
    case "service_only":
      return "services, on their own behalf";
  }
}

export function callerWords({ callers }: Policy): string {
  if (callers.length === 0) return "nobody";
  return callers.map((caller) => (caller === ANYBODY ? "anybody without an identity" : caller)).join(", ");
}

export function retryWords({ retry }: Policy): string {
  if (!retry) return "never";
  const each = retry.perTryMs === undefined ? "" : `, ${time(retry.perTryMs)} each`;
  return `${retry.attempts} tries${each} on ${retry.codes.join(", ")}, ${time(retry.baseBackoffMs)} to ${time(retry.maxBackoffMs)} apart`;
}

export function breakerWords({ breaker }: Policy): string {
  return `opens at ${Number((breaker.ratio * 100).toPrecision(4))} % failures of at least ${breaker.minimumRps} calls/s in ${time(breaker.windowMs)}, for ${time(breaker.openMs)} to ${time(breaker.maxOpenMs)}`;
}

export function sloWords({ slo }: Policy): string {
  return `${Number((slo.availability * 100).toPrecision(6))} % within ${time(slo.latencyMs)} over ${time(slo.windowMs)}`;
}

/** What holds for few methods only; "" for none. */
export function moreWords(method: MeshMethod): string {
  const { rateLimit, idempotencyKeyRequired, cache, importance, maxRequestBytes, successStatus } =
    method.policy;
  return [
    rateLimit &&
      `${rateLimit.requests} requests per ${time(rateLimit.periodMs)} and ${rateLimit.key}, ${rateLimit.burst} at once`,
    idempotencyKeyRequired && "needs an Idempotency-Key",
    cache && `cached for ${time(cache.maxAgeMs)}${cache.shared ? ", also by shared caches" : ""}`,
    importance !== "normal" && `importance ${importance}`,
    maxRequestBytes !== 65_536 && `requests of up to ${maxRequestBytes} bytes`,
    successStatus !== 200 && `answers ${successStatus}`,
  ]
    .filter(Boolean)
    .join("; ");
}
