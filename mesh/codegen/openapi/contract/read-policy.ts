/** What the policy options of a method mean for somebody who calls it through the edge. */
import type { DescMethod, Registry } from "@bufbuild/protobuf";
import type {
  Access,
  Cache,
  IdempotencyKey,
  MethodPolicy,
  RateLimit,
  ServicePolicy,
} from "#gen/weft/policy/v1/policy_pb.ts";
import { readOption } from "../../read-option.ts";

export interface EdgePolicy {
  readonly access: Access["rule"];
  readonly idempotencyKeyRequired: boolean;
  readonly rateLimit: RateLimit | undefined;
  readonly cache: Cache | undefined;
  /** HTTP status of a successful unary reply. */
  readonly successStatus: number;
  /** Largest request message in bytes. */
  readonly maxRequestBytes: number;
}

const keyRequired: IdempotencyKey = 1;

/**
 * Policy of `method`, its own before its service's defaults; undefined where the edge may not call it.
 * @throws Error for an open method without an access rule: nobody could call it
 */
export function readPolicy(registry: Registry, method: DescMethod): EdgePolicy | undefined {
  const own = readOption<MethodPolicy>(registry, method, "weft.policy.v1.method");
  const defaults = readOption<ServicePolicy>(registry, method.parent, "weft.policy.v1.service")?.defaults;
  const callers = own?.callers.length ? own.callers : (defaults?.callers ?? []);
  if (!callers.includes("edge")) return undefined;
  const access = (own?.access ?? defaults?.access)?.rule;
  if (access?.case === undefined) {
    throw new Error(
      `${method.parent.typeName}.${method.name} is open to the edge but has no access rule: say (weft.policy.v1.method).access`,
    );
  }
  return {
    access,
    idempotencyKeyRequired: (own?.idempotencyKey || defaults?.idempotencyKey) === keyRequired,
    rateLimit: own?.rateLimit ?? defaults?.rateLimit,
    cache: own?.cache ?? defaults?.cache,
    successStatus: (own?.rest ?? defaults?.rest)?.successStatus || 200,
    maxRequestBytes: own?.maxRequestBytes || defaults?.maxRequestBytes || 65_536,
  };
}
