/** Questions about who calls whom. */
import { ANYBODY, type Calls, type Contract, EDGE, type MeshService } from "./model.ts";

/** Whether anything is reached from outside, so that a gateway is part of the mesh. */
export function hasEdge({ services }: Contract): boolean {
  return services.some(({ methods }) => methods.some(({ policy }) => policy.callers.includes(EDGE)));
}

/** What the gateway may call. */
export function edgeCalls({ services }: Contract): Calls[] {
  return services.flatMap(({ name, methods }) => {
    const open = methods.filter(({ policy }) => policy.callers.includes(EDGE));
    return open.length > 0 ? [{ callee: name, methods: open }] : [];
  });
}

/** Names of the workloads that may call at least one method; sorted, without ANYBODY. */
export function callersOf({ methods }: MeshService): string[] {
  const callers = new Set(methods.flatMap(({ policy }) => policy.callers));
  callers.delete(ANYBODY);
  return [...callers].sort();
}

/** Whether some method admits callers without an identity. */
export function isOpen({ methods }: MeshService): boolean {
  return methods.some(({ policy }) => policy.callers.includes(ANYBODY));
}

/** Names of the services that `caller` may reach, those open to anybody included; sorted, without itself. */
export function reachedFrom(contract: Contract, caller: { name: string; calls: readonly Calls[] }): string[] {
  const open = contract.services.filter(isOpen).map(({ name }) => name);
  const reached = new Set([...caller.calls.map(({ callee }) => callee), ...open]);
  reached.delete(caller.name);
  return [...reached].sort();
}
