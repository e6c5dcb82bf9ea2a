/** What the committed objects say of each other is true, and every RPC of the shop has one way in each mesh. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createFileRegistry, fromBinary, getOption, hasOption } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { service as serviceOption } from "#gen/weft/policy/v1/policy_pb.ts";
import { policyOf } from "#mesh/runtime/policy/method-policy.ts";
import { objectsOf, root } from "./generated-objects.ts";
import { ofKind, referenceProblems, specOf, waysOf } from "./references.ts";

const mesh = {
  base: objectsOf("deploy/kubernetes/generated"),
  sidecar: objectsOf("mesh/istio/sidecar"),
  ambient: objectsOf("mesh/istio/ambient"),
  linkerd: objectsOf("mesh/linkerd"),
};

/** "SERVICE /pkg.v1.Service/Method" of every served method. */
const registry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync(join(root, "gen/descriptors.binpb"))),
);
const served = [...registry]
  .filter((type) => type.kind === "service")
  .filter((type) => hasOption(type, serviceOption));
const methods = served
  .filter((service) => getOption(service, serviceOption).name !== "*")
  .flatMap((service) =>
    service.methods.map((method) => ({ method, name: getOption(service, serviceOption).name })),
  );
const shared = served
  .filter((service) => getOption(service, serviceOption).name === "*")
  .flatMap((service) => service.methods);
const names = [...new Set(methods.map(({ name }) => name))];
const rpcs = [...methods, ...names.flatMap((name) => shared.map((method) => ({ method, name })))]
  .map(({ method, name }) => `${name} /${method.parent.typeName}/${method.name}`)
  .sort();

test.each(Object.entries(waysOf(mesh)))("%s: every RPC has exactly one route", (_target, ways) => {
  expect(ways).toEqual(rpcs);
});

test("destinations, subsets, ports, accounts and whatever else is referred to exist, once", () => {
  expect(referenceProblems(mesh, "weft")).toEqual([]);
});

test("istio: a method that may have its effect twice is never retried, any other as often as its policy says", () => {
  const attempts = new Map<string, number>(
    ofKind(mesh.sidecar, "VirtualService").flatMap((object) =>
      specOf(object)
        .http.filter(({ match }: { match?: unknown }) => match)
        .map(({ match, retries }: { match: { uri: { exact: string } }[]; retries: { attempts: number } }) => [
          match[0]!.uri.exact,
          retries.attempts,
        ]),
    ),
  );
  for (const { method } of methods)
    expect(attempts.get(`/${method.parent.typeName}/${method.name}`)).toBe(
      (policyOf(method).retry?.attempts ?? 1) - 1,
    );
});
