import { Code } from "@connectrpc/connect";
import { Importance } from "#gen/weft/policy/v1/policy_pb.ts";
import type { LoadShedder } from "#mesh/runtime/policy/load-shedder.ts";
import { ServiceError } from "#mesh/runtime/rpc/errors.ts";
import type { Step } from "./passage.ts";

/** One for all: under too much load each trace of the stack is one too many. */
const overloaded = new ServiceError(Code.Unavailable, "OVERLOADED", "too much load", { retryAfterMs: 1_000 });

/** Refuses calls that the shedder gives up; none without one. */
export function shedLoad(shedder: LoadShedder | undefined): Step {
  return ({ policy }) => {
    if (!shedder?.sheds(policy?.importance ?? Importance.NORMAL)) return;
    throw overloaded;
  };
}
