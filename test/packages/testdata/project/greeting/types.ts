/** Types are what they say: were one of them `any`, tsc would complain of the directive above the mistake. */
import type { RunningEdge } from "@weft/edge";
import { weftPlugin } from "@weft/protoc-gen-weft";
import { type Config, type ServiceDefinition, ServiceError } from "@weft/runtime";
import { method } from "@weft/runtime/gen/weft/policy/v1/policy_pb.js";
import { policyOf } from "@weft/runtime/policy/method-policy.js";
import { GreetingService } from "../gen/ts/app/greeting/v1/greeting_pb.ts";

export function mistakes(config: Config, definition: ServiceDefinition, edge: RunningEdge) {
  return [
    // @ts-expect-error a port is a number
    config.port.toUpperCase(),
    // @ts-expect-error there is no such part
    definition.storage.nothing,
    // @ts-expect-error a code is no text
    new ServiceError("late", "LATE", "too late"),
    // @ts-expect-error milliseconds are a number
    policyOf(GreetingService.method.greet).timeoutMs.seconds,
    // @ts-expect-error it is an extension
    method.nothing,
    // @ts-expect-error a port is a number
    edge.port.toUpperCase(),
    // @ts-expect-error a plugin is no function
    weftPlugin(),
  ];
}
