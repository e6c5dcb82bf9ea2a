/** What the generated objects say of each other is true, and every RPC has one way in each mesh. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createFileRegistry, fromBinary, getOption, hasOption } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { service as serviceOption } from "#gen/weft/policy/v1/policy_pb.ts";
import { policyOf } from "#mesh/runtime/policy/method-policy.ts";
import { objectsOf, root } from "./generated-objects.ts";
import type { KubernetesObject } from "./kubernetes-schema.ts";

// biome-ignore lint/suspicious/noExplicitAny: objects of many kinds, checked against their schemas elsewhere
const specOf = (object: KubernetesObject): any => object.spec;
const ofKind = (objects: KubernetesObject[], kind: string) => objects.filter((each) => each.kind === kind);
const namesOf = (objects: KubernetesObject[], kind: string) =>
  new Set(ofKind(objects, kind).map(({ metadata }) => metadata.name));

const base = objectsOf("deploy/kubernetes/generated");
const sidecar = objectsOf("mesh/istio/sidecar");
const ambient = objectsOf("mesh/istio/ambient");
const linkerd = objectsOf("mesh/linkerd");
const accounts = namesOf(base, "ServiceAccount");
const services = new Map(
  ofKind(base, "Service").map((object) => [
    object.metadata.name,
    specOf(object).ports.map(({ port }: { port: number }) => port) as number[],
  ]),
);

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

test("istio-sidecar: every RPC has exactly one route", () => {
  const routes = ofKind(sidecar, "VirtualService").flatMap((object) =>
    specOf(object).http.flatMap(({ match = [] }: { match?: { uri: { exact: string } }[] }) =>
      match.map(({ uri }) => `${object.metadata.name} ${uri.exact}`),
    ),
  );
  expect(routes.sort()).toEqual(rpcs);
});

test("istio-ambient: every RPC has exactly one route", () => {
  const routes = ofKind(ambient, "HTTPRoute").flatMap((object) =>
    specOf(object).rules.flatMap(({ matches }: { matches: { path: { type: string; value: string } }[] }) =>
      matches
        .filter(({ path }) => path.type === "Exact")
        .map(({ path }) => `${specOf(object).parentRefs[0].name} ${path.value}`),
    ),
  );
  expect(routes.sort()).toEqual(rpcs);
});

test("linkerd: every RPC has exactly one route out and one in", () => {
  const out = ofKind(linkerd, "GRPCRoute").flatMap((object) =>
    specOf(object).rules.flatMap(({ matches = [] }) =>
      matches.map(
        ({ method }: { method: { service: string; method: string } }) =>
          `${specOf(object).parentRefs[0].name} /${method.service}/${method.method}`,
      ),
    ),
  );
  expect(out.sort()).toEqual(rpcs);
  const into = ofKind(linkerd, "HTTPRoute").flatMap((object) =>
    specOf(object).rules.flatMap(({ matches }: { matches: { path: { value: string } }[] }) =>
      matches.map(({ path }) => `${specOf(object).parentRefs[0].name} ${path.value}`),
    ),
  );
  expect(into.filter((way) => !/ \/(grpc\.health|healthz|readyz|metrics)/.test(way)).sort()).toEqual(rpcs);
});

test("destinations, subsets and ports exist", () => {
  const rules = new Map(
    ofKind(sidecar, "DestinationRule").map((object) => [specOf(object).host, specOf(object)]),
  );
  for (const object of ofKind(sidecar, "VirtualService"))
    for (const { route } of specOf(object).http)
      for (const { destination } of route) {
        const [service, namespace] = destination.host.split(".");
        expect(namespace).toBe("weft");
        expect(services.get(service), destination.host).toContain(destination.port.number);
        const subsets = (rules.get(destination.host).subsets ?? []).map(({ name }: { name: string }) => name);
        if (destination.subset) expect(subsets, object.metadata.name).toContain(destination.subset);
      }
  for (const object of [...ofKind(ambient, "HTTPRoute"), ...ofKind(linkerd, "GRPCRoute")])
    for (const { backendRefs } of specOf(object).rules)
      for (const { name, port } of backendRefs) expect(services.get(name), name).toContain(port);
});

test("callers have accounts", () => {
  const principals = [...sidecar, ...ambient]
    .filter(({ kind }) => kind === "AuthorizationPolicy")
    .flatMap((object) => JSON.stringify(object).match(/"cluster\.local\/ns\/[^"]+"/g) ?? [])
    .map((text) => JSON.parse(text) as string);
  expect(principals.length).toBeGreaterThan(0);
  for (const principal of principals) {
    const account = /^cluster\.local\/ns\/weft\/sa\/(.+)$/.exec(principal)?.[1];
    expect([...accounts, "waypoint"]).toContain(account);
  }
  for (const object of ofKind(linkerd, "MeshTLSAuthentication"))
    for (const { name } of specOf(object).identityRefs ?? []) expect(accounts).toContain(name);
});

test("linkerd: what policies refer to exists", () => {
  for (const object of ofKind(linkerd, "AuthorizationPolicy")) {
    const { targetRef, requiredAuthenticationRefs } = specOf(object);
    expect(namesOf(linkerd, targetRef.kind)).toContain(targetRef.name);
    for (const { kind, name } of requiredAuthenticationRefs) expect(namesOf(linkerd, kind)).toContain(name);
  }
});

test("each workload is scaled by one thing, and what is scaled and selected exists", () => {
  const deployments = namesOf(base, "Deployment");
  const scalers = base.filter(({ kind }) => /ScaledObject|HorizontalPodAutoscaler/.test(kind));
  expect(scalers.map((object) => specOf(object).scaleTargetRef.name).sort()).toEqual([...deployments].sort());
  for (const object of ofKind(base, "Deployment"))
    expect(accounts).toContain(specOf(object).template.spec.serviceAccountName);
});

test("istio: a method that may have its effect twice is never retried, any other as often as its policy says", () => {
  const attempts = new Map<string, number>(
    ofKind(sidecar, "VirtualService").flatMap((object) =>
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
