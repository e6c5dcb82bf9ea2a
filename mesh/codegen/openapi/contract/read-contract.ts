/** Reads which bindings the edge serves out of google.api.http and the policy options. */
import type { DescMethod, FileRegistry } from "@bufbuild/protobuf";
import type { HttpRule } from "#gen/google/api/http_pb.ts";
import { readOption } from "../../read-option.ts";
import type { Api } from "./model.ts";
import { nameServices } from "./name-services.ts";
import { listOperations, type Served } from "./operations.ts";
import { readBindings } from "./read-binding.ts";
import { readPolicy } from "./read-policy.ts";

/**
 * The contract of the services in `files`.
 * @throws Error with a line for each thing that is wrong
 */
export function readContract(registry: FileRegistry, files: readonly string[]): Api {
  const services = files.flatMap((name) => registry.getFile(name)?.services ?? []);
  const problems: string[] = [];
  const served = services.flatMap((service) =>
    service.methods.flatMap((method): Served[] => {
      try {
        return readMethod(registry, method);
      } catch (error) {
        problems.push((error as Error).message);
        return [];
      }
    }),
  );
  if (problems.length > 0) throw new Error(problems.join("\n"));
  const open = [...new Set(served.map(({ method }) => method.parent))];
  const names = nameServices(open);
  const tags = open.map((service) => ({ name: names.get(service) ?? service.name, service }));
  return { tags, ...listOperations(served, names) };
}

function readMethod(registry: FileRegistry, method: DescMethod): Served[] {
  const rule = readOption<HttpRule>(registry, method, "google.api.http");
  const policy = rule && readPolicy(registry, method);
  if (!rule || !policy) return [];
  return readBindings(method, rule).map((binding, number) => ({
    method,
    policy,
    binding,
    number: number + 1,
  }));
}
