/** Every rule a contract must obey before anything is made from it. */
import type { DescMethod, FileRegistry } from "@bufbuild/protobuf";
import type { MethodPolicy } from "#gen/weft/policy/v1/policy_pb.ts";
import { EVERY_SERVICE, type Policy } from "../contract/model.ts";
import type { Problems } from "../contract/problems.ts";
import type { Served } from "../contract/read-contract.ts";
import type { WrittenEvent } from "../contract/read-events.ts";
import { readPolicy, writtenPolicy } from "../contract/read-policy.ts";
import { checkAccess } from "./access.ts";
import { checkBreaker } from "./breaker.ts";
import { checkCallers } from "./callers.ts";
import { checkEvent } from "./events.ts";
import { checkNames } from "./names.ts";
import { checkNumbers } from "./numbers.ts";
import { checkRetry } from "./retry.ts";
import { checkTimeouts } from "./timeouts.ts";

export interface WholeContract {
  readonly registry: FileRegistry;
  readonly served: readonly Served[];
  readonly written: readonly WrittenEvent[];
  /** Package → names of its services. */
  readonly publishers: ReadonlyMap<string, readonly string[]>;
}

/** A method with its options as written and as merged. */
export interface CheckedMethod {
  readonly desc: DescMethod;
  /** Name of its service in the mesh. */
  readonly service: string;
  readonly own: Partial<MethodPolicy>;
  readonly defaults: Partial<MethodPolicy>;
  readonly policy: Policy;
}

export function checkContract(contract: WholeContract, problems: Problems): void {
  const { registry, served, written, publishers } = contract;
  const names = new Set(served.map(({ name }) => name).filter((name) => name !== EVERY_SERVICE));
  const methods = served.flatMap(({ desc: { methods }, name }) =>
    methods.map((desc): CheckedMethod => {
      const options = writtenPolicy(registry, desc);
      return { desc, service: name, ...options, policy: readPolicy(desc, options) };
    }),
  );
  checkNames(served, problems);
  for (const method of methods) {
    checkAccess(method, problems);
    checkCallers(method, names, problems);
    checkRetry(method, problems);
    checkBreaker(method, problems);
    checkNumbers(method, problems);
  }
  checkTimeouts(methods, written, problems);
  for (const event of written) checkEvent(event, names, publishers, problems);
}
