import { ANYBODY, EDGE } from "../contract/model.ts";
import type { Problems } from "../contract/problems.ts";
import { readEvent, type WrittenEvent } from "../contract/read-events.ts";
import type { CheckedMethod } from "./check-contract.ts";

/**
 * A callee may take no longer than the longest work of its caller: the caller's call would be cut before the
 * callee's policy says so. Work is a unary method, or the handling of an event; a service that has only streams
 * is measured by those. The gateway waits as long as each method says.
 */
export function checkTimeouts(
  methods: readonly CheckedMethod[],
  written: readonly WrittenEvent[],
  problems: Problems,
): void {
  const longest = longestWork(methods, written);
  for (const { desc, policy, service } of methods) {
    if (desc.methodKind !== "unary") continue;
    for (const caller of policy.callers) {
      const limitMs = longest.get(caller);
      if (caller === EDGE || caller === ANYBODY || caller === service || limitMs === undefined) continue;
      if (policy.timeoutMs <= limitMs) continue;
      problems.add({
        desc,
        option: "timeout",
        problem: `is ${policy.timeoutMs} ms, but nothing its caller "${caller}" does may take longer than ${limitMs} ms`,
        instead: `at most ${limitMs} ms, or give the method of "${caller}" that calls it more time`,
      });
    }
  }
}

function longestWork(
  methods: readonly CheckedMethod[],
  written: readonly WrittenEvent[],
): ReadonlyMap<string, number> {
  const longest = new Map<string, number>();
  const note = (service: string, ms: number) => longest.set(service, Math.max(ms, longest.get(service) ?? 0));
  for (const { desc, policy, service } of methods)
    if (desc.methodKind === "unary") note(service, policy.timeoutMs);
  for (const event of written)
    for (const { service, ackWaitMs } of readEvent(event, []).consumers) note(service, ackWaitMs);
  for (const { policy, service } of methods) if (!longest.has(service)) note(service, policy.timeoutMs);
  return longest;
}
