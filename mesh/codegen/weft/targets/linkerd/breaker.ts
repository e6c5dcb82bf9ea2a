import type { MeshService } from "../../contract/model.ts";
import { goDuration } from "../../output/duration.ts";
import type { Patch } from "../../output/kustomization.ts";
import { limitsOf } from "../traffic-limits.ts";

/**
 * Failure accrual of a Service, in annotations of the Service itself: one for all of its methods, so the breaker
 * that opens last decides. "unified" counts both failures in a row and the share of successes.
 */
export function failureAccrual(service: MeshService): Patch {
  const limits = service.methods.map(limitsOf);
  const most = (of: (limit: (typeof limits)[number]) => number) => Math.max(...limits.map(of));
  const prefix = "balancer.linkerd.io/failure-accrual";
  const rate = "balancer.alpha.linkerd.io/failure-accrual-success-rate";
  const annotations = {
    [prefix]: "unified",
    [`${prefix}-consecutive-max-failures`]: String(most(({ failuresInARow }) => failuresInARow)),
    [`${prefix}-consecutive-min-penalty`]: goDuration(most(({ openMs }) => openMs)),
    [`${prefix}-consecutive-max-penalty`]: goDuration(most(({ maxOpenMs }) => maxOpenMs)),
    [`${rate}-threshold`]: String((100 - most(({ failurePercent }) => failurePercent)) / 100),
    [`${rate}-window`]: goDuration(most(({ windowMs }) => windowMs)),
    [`${rate}-min-requests`]: String(most(({ volume }) => volume)),
  };
  return { kind: "Service", name: service.name, change: { metadata: { name: service.name, annotations } } };
}
