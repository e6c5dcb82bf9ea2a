/** What generated objects say of each other, and by which ways an RPC goes. */
import type { KubernetesObject } from "./kubernetes-schema.ts";

/** Objects of each target, made from one contract. */
export interface MeshObjects {
  readonly base: readonly KubernetesObject[];
  readonly sidecar: readonly KubernetesObject[];
  readonly ambient: readonly KubernetesObject[];
  readonly linkerd: readonly KubernetesObject[];
}

// biome-ignore lint/suspicious/noExplicitAny: objects of many kinds, checked against their schemas elsewhere
export const specOf = (object: KubernetesObject): any => object.spec;
export const ofKind = (objects: readonly KubernetesObject[], kind: string) =>
  objects.filter((each) => each.kind === kind);
export const namesOf = (objects: readonly KubernetesObject[], kind: string) =>
  new Set(ofKind(objects, kind).map(({ metadata }) => metadata.name));

/** "SERVICE /pkg.Service/Method" of each route, sorted; what is in no contract is left out. */
export function waysOf({ sidecar, ambient, linkerd }: MeshObjects) {
  const hostOf = (object: KubernetesObject): string => specOf(object).parentRefs[0].name;
  // biome-ignore lint/suspicious/noExplicitAny: checked against its schema elsewhere
  const matchesOf = (object: KubernetesObject): any[] =>
    specOf(object).rules.flatMap(({ matches = [] }: { matches?: unknown[] }) => matches);
  const added = /^\/(grpc\.health|healthz|readyz|metrics)/;
  return {
    "istio-sidecar": ofKind(sidecar, "VirtualService")
      .flatMap((object) =>
        specOf(object).http.flatMap(({ match = [] }: { match?: { uri: { exact: string } }[] }) =>
          match.map(({ uri }) => `${object.metadata.name} ${uri.exact}`),
        ),
      )
      .sort(),
    "istio-ambient": ofKind(ambient, "HTTPRoute")
      .flatMap((object) =>
        matchesOf(object)
          .filter(({ path }: { path: { type: string } }) => path.type === "Exact")
          .map(({ path }: { path: { value: string } }) => `${hostOf(object)} ${path.value}`),
      )
      .sort(),
    "linkerd, out": ofKind(linkerd, "GRPCRoute")
      .flatMap((object) =>
        matchesOf(object).map(
          ({ method }: { method: { service: string; method: string } }) =>
            `${hostOf(object)} /${method.service}/${method.method}`,
        ),
      )
      .sort(),
    "linkerd, in": ofKind(linkerd, "HTTPRoute")
      .flatMap((object) =>
        matchesOf(object)
          .map(({ path }: { path: { value: string } }) => path.value)
          .filter((path: string) => !added.test(path))
          .map((path: string) => `${hostOf(object)} ${path}`),
      )
      .sort(),
  };
}

/** What refers to something that is not there, or stands twice; empty when all is well. */
export function referenceProblems(mesh: MeshObjects, namespace: string): string[] {
  return [...twice(mesh), ...destinations(mesh, namespace), ...callers(mesh, namespace), ...workloads(mesh)];
}

function twice(mesh: MeshObjects): string[] {
  return Object.entries(mesh).flatMap(([target, objects]) => {
    const seen = new Set<string>();
    return (objects as KubernetesObject[]).flatMap(({ kind, metadata }) => {
      const name = `${kind}/${metadata.name}`;
      if (seen.has(name)) return [`${target}: ${name} stands twice`];
      seen.add(name);
      return [];
    });
  });
}

function destinations({ base, sidecar, ambient, linkerd }: MeshObjects, namespace: string): string[] {
  const ports = new Map(
    ofKind(base, "Service").map((object) => [
      object.metadata.name,
      specOf(object).ports.map(({ port }: { port: number }) => port) as number[],
    ]),
  );
  const subsets = new Map<string, string[]>(
    ofKind(sidecar, "DestinationRule").map((object) => [
      specOf(object).host,
      (specOf(object).subsets ?? []).map(({ name }: { name: string }) => name),
    ]),
  );
  const of = (object: KubernetesObject, service: string, port: number) =>
    ports.get(service)?.includes(port)
      ? []
      : [`${object.kind}/${object.metadata.name}: no ${service}:${port}`];
  const virtual = ofKind(sidecar, "VirtualService").flatMap((object) =>
    specOf(object).http.flatMap(({ route }: { route: { destination: Record<string, never> }[] }) =>
      // biome-ignore lint/suspicious/noExplicitAny: checked against its schema elsewhere
      route.flatMap(({ destination }: any) => {
        const [service, place] = destination.host.split(".");
        const missing = place === namespace ? [] : [`${object.metadata.name}: namespace ${place}`];
        const known = !destination.subset || subsets.get(destination.host)?.includes(destination.subset);
        if (!known) missing.push(`${object.metadata.name}: no subset ${destination.subset}`);
        return [...missing, ...of(object, service, destination.port.number)];
      }),
    ),
  );
  const labels = [...subsets].flatMap(([host, names]) =>
    names
      .filter((name, index) => names.indexOf(name) !== index || !/^[a-z0-9-]{1,63}$/.test(name))
      .map((name) => `DestinationRule of ${host}: subset ${name}`),
  );
  const routes = [...ofKind(ambient, "HTTPRoute"), ...ofKind(linkerd, "GRPCRoute")].flatMap((object) =>
    specOf(object).rules.flatMap(({ backendRefs }: { backendRefs: { name: string; port: number }[] }) =>
      backendRefs.flatMap(({ name, port }) => of(object, name, port)),
    ),
  );
  return [...virtual, ...labels, ...routes];
}

function callers({ base, sidecar, ambient, linkerd }: MeshObjects, namespace: string): string[] {
  const accounts = namesOf(base, "ServiceAccount");
  const principals = [...ofKind(sidecar, "AuthorizationPolicy"), ...ofKind(ambient, "AuthorizationPolicy")]
    .flatMap((object) => JSON.stringify(object).match(/"cluster\.local\/ns\/[^"]+"/g) ?? [])
    .map((text) => JSON.parse(text) as string)
    .filter((principal) => {
      const [, place, , name] = principal.split("/").slice(1);
      return (
        place === undefined ||
        principal !== `cluster.local/ns/${namespace}/sa/${name}` ||
        !(accounts.has(name!) || name === "waypoint")
      );
    })
    .map((principal) => `AuthorizationPolicy: no account for ${principal}`);
  const identities = ofKind(linkerd, "MeshTLSAuthentication").flatMap((object) =>
    (specOf(object).identityRefs ?? [])
      .filter(({ name }: { name: string }) => !accounts.has(name))
      .map(({ name }: { name: string }) => `${object.metadata.name}: no account ${name}`),
  );
  const targets = ofKind(linkerd, "AuthorizationPolicy").flatMap((object) => {
    const { targetRef, requiredAuthenticationRefs } = specOf(object);
    return [targetRef, ...requiredAuthenticationRefs]
      .filter(({ kind, name }) => !namesOf(linkerd, kind).has(name))
      .map(({ kind, name }) => `${object.metadata.name}: no ${kind}/${name}`);
  });
  return [...principals, ...identities, ...targets];
}

function workloads({ base }: MeshObjects): string[] {
  const deployments = [...namesOf(base, "Deployment")].sort();
  const scaled = base
    .filter(({ kind }) => /ScaledObject|HorizontalPodAutoscaler/.test(kind))
    .map((object) => specOf(object).scaleTargetRef.name as string)
    .sort();
  const accounts = namesOf(base, "ServiceAccount");
  return [
    ...(scaled.join() === deployments.join() ? [] : [`scaled are ${scaled}, deployed ${deployments}`]),
    ...ofKind(base, "Deployment")
      .map((object) => specOf(object).template.spec.serviceAccountName as string)
      .filter((name) => !accounts.has(name))
      .map((name) => `Deployment: no account ${name}`),
  ];
}
