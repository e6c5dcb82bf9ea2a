/** What happens to every incoming call before its handler, in every process. */
import type { Interceptor } from "@connectrpc/connect";
import type { Faults } from "../faults/fault-list.ts";
import { injectFaults } from "../faults/inject-faults.ts";
import type { IdentifyCaller } from "../identity/identify-caller.ts";
import type { VerifyUser } from "../identity/user-token.ts";
import { authorize } from "../policy/authorize.ts";
import { CallMetrics } from "../telemetry/call-metrics.ts";
import type { Logger } from "../telemetry/log.ts";
import { noTracer, type Tracer } from "../telemetry/tracer.ts";
import { enforceDeadline } from "./deadline.ts";
import { openContext } from "./open-context.ts";
import { renderErrors } from "./render-errors.ts";
import { requireKey } from "./require-key.ts";
import type { ServerLoad } from "./server-load.ts";
import { shedLoad } from "./shed-load.ts";
import { validateRequests } from "./validate-requests.ts";

/** What the interceptors need from the process. */
export interface ServerIdentity {
  readonly log: Logger;
  /** Takes access log lines. */
  readonly writeLine: (line: string) => void;
  /** Begins the spans of calls; none when left out. */
  readonly tracer?: Tracer;
  /** Counts calls. */
  readonly metrics?: CallMetrics;
  readonly identifyCaller: IdentifyCaller;
  readonly verifyUser: VerifyUser;
  /** What the process serves and gives up; nothing is given up when left out. */
  readonly load?: ServerLoad;
  /** What is done to calls on purpose; nothing when left out. Development only. */
  readonly faults?: Faults;
  /** Callers without a workload identity may call what the edge may. Development only. */
  readonly directCalls: boolean;
}

/** The list. The first is the outermost: it sees the request first and the reply last. */
export function serverInterceptors(identity: ServerIdentity): Interceptor[] {
  const { tracer = noTracer, metrics = new CallMetrics("server") } = identity;
  return [
    // Outermost, so that every line logged further in, and the access log itself, has the ids.
    openContext({ ...identity, tracer, metrics }),
    // Around all that may refuse, so that each refusal leaves as a status with details.
    renderErrors(identity.log),
    // Before anything that costs: what will not be served must cost next to nothing.
    shedLoad(identity.load),
    // Before any work is done: a call that is late is not worth checking.
    enforceDeadline(),
    // Within the deadline, so that a delay uses it up; before all else, so that callers cannot tell it from a
    // failure of the process. Only where faults are allowed.
    ...(identity.faults ? [injectFaults(identity.faults)] : []),
    // Before the message is looked at: strangers learn nothing about fields.
    authorize(identity),
    // Cheap header check before the costlier look at the message.
    requireKey(),
    // Last: the handler sees only messages that obey the contract.
    validateRequests(),
  ];
}
