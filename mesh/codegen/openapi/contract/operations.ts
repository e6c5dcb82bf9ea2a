/**
 * Bindings → operations. OpenAPI takes paths that differ in parameter names only for one path, and has a fixed
 * set of HTTP methods: bindings it has no place for are listed apart, never dropped.
 */
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { pathShape, type SharedPath, sharedPaths } from "./api-path.ts";
import { type Operation, type Unlisted, type Verb, verbs } from "./model.ts";
import type { Binding } from "./read-binding.ts";
import type { EdgePolicy } from "./read-policy.ts";

/** A binding of an open method. */
export interface Served {
  readonly method: DescMethod;
  readonly policy: EdgePolicy;
  readonly binding: Binding;
  /** Place among the method's bindings, from 1. */
  readonly number: number;
}

/** What a rule of kind "*" is listed under, where no other rule has the place. */
const anyMethod: readonly Verb[] = ["get", "put", "post", "delete", "patch"];

/** Operations in the order of the contract, and the bindings that have no place. */
export function listOperations(
  served: readonly Served[],
  names: ReadonlyMap<DescService, string>,
): { operations: Operation[]; unlisted: Unlisted[] } {
  const paths = sharedPaths(served.map(({ binding }) => binding.path));
  const holders = placeHolders(served);
  const operations: Operation[] = [];
  const unlisted: Unlisted[] = [];
  for (const each of served) {
    const shape = pathShape(each.binding.path);
    const wanted = verbsOf(each.binding.httpMethod);
    const got = wanted.filter((verb) => holders.get(`${verb} ${shape}`) === each);
    const path = paths.get(shape) ?? { names: [] };
    operations.push(...got.map((verb) => operation(each, verb, path, names)));
    if (got.length === 0) unlisted.push(unlist(each, holders.get(`${wanted[0]} ${shape}`)));
  }
  return { operations, unlisted };
}

/** Who gets each "verb shape": the first to ask, rules with a method of their own before "*", as at the edge. */
function placeHolders(served: readonly Served[]): Map<string, Served> {
  const isAny = ({ binding }: Served) => binding.httpMethod === "*";
  const holders = new Map<string, Served>();
  for (const each of [...served.filter((one) => !isAny(one)), ...served.filter(isAny)]) {
    for (const verb of verbsOf(each.binding.httpMethod)) {
      const place = `${verb} ${pathShape(each.binding.path)}`;
      if (!holders.has(place)) holders.set(place, each);
    }
  }
  return holders;
}

function verbsOf(httpMethod: string): readonly Verb[] {
  if (httpMethod === "*") return anyMethod;
  const verb = verbs.find((known) => known.toUpperCase() === httpMethod);
  return verb ? [verb] : [];
}

function operation(
  { method, policy, binding, number }: Served,
  verb: Verb,
  path: SharedPath,
  names: ReadonlyMap<DescService, string>,
): Operation {
  const tag = names.get(method.parent) ?? method.parent.name;
  const any = binding.httpMethod === "*" ? `_${verb}` : "";
  return {
    id: `${tag}_${method.name}${number > 1 ? `_${number}` : ""}${any}`,
    method,
    policy,
    tag,
    verb,
    path: {
      ...binding.path,
      parameters: binding.path.parameters.map((own, i) => ({ ...own, name: path.names[i] ?? own.name })),
    },
    query: binding.query,
    body: binding.body,
    responseBody: binding.responseBody,
  };
}

function unlist({ method, binding }: Served, instead: Served | undefined): Unlisted {
  return {
    method: `${method.parent.typeName}/${method.name}`,
    binding: `${binding.httpMethod} ${binding.template}`,
    reason: instead
      ? `OpenAPI takes the path for the same as that of ${instead.method.parent.typeName}/${instead.method.name}`
      : "OpenAPI 3.1 has no such HTTP method",
  };
}
