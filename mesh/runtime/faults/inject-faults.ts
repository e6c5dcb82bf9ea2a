import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import type { Fault } from "./fault.ts";
import type { Faults } from "./fault-list.ts";

/** Delays or aborts the share of calls that a fault of their method asks for. */
export function injectFaults(faults: Faults, chance: () => number = Math.random): Interceptor {
  return (next) => async (request) => {
    const fault = faults.of(request.service.typeName, request.method.name);
    if (!fault) return next(request);
    const { delay, abort } = fault;
    // A caller that has given up is not waited for.
    if (delay && chance() < delay.share) await sleep(delay.ms, undefined, { signal: request.signal });
    if (abort && chance() < abort.share) throw new ConnectError("a fault injected on purpose", codeOf(abort));
    return next(request);
  };
}

function codeOf({ code }: NonNullable<Fault["abort"]>): Code {
  const name = code.toLowerCase().replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Code[name as keyof typeof Code];
}
