/** Routes into a workload and who may take them. Linkerd sees callers only: users are checked by the process. */
import type { MeshMethod, MeshService } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import { type Resource, resource } from "../../output/resource.ts";
import { uniqueNames } from "../../output/unique-names.ts";
import { groupMethods } from "../method-groups.ts";
import { ANYWHERE, SCRAPER, servicesNamed } from "./authentications.ts";
import type { CallerSets } from "./caller-sets.ts";

const ANYBODYS = "anybody";

/** What the limit of the Gateway API leaves to one rule (matches for each rule). */
const MATCHES_PER_RULE = 64;

const HEALTH = ["Check", "Watch", "List"].map((method) => `/grpc.health.v1.Health/${method}`);

/** One route for all methods with the same callers, one for probes and one for metrics. */
export function admission(service: MeshService, sets: CallerSets, options: MeshOptions): Resource[] {
  const { name } = service;
  const admitting = service.methods.filter(({ policy }) => policy.callers.length > 0);
  const groups = groupMethods(admitting, ({ policy }) => sets.nameOf(policy.callers));
  const names = uniqueNames(
    groups.map(({ key = ANYBODYS }) => ({
      key,
      name: `${name}-from-${key}`,
      identity: `${name} from ${key}`,
    })),
  );
  return [
    ...groups.flatMap(({ key, methods }) => {
      const paths = methods.map(({ path }: MeshMethod) => path);
      const authentication = key === undefined ? ANYWHERE : servicesNamed(key);
      return admit(name, names.get(key ?? ANYBODYS)!, paths, authentication, options);
    }),
    ...admit(name, `${name}-probes`, [...HEALTH, "/healthz", "/readyz"], ANYWHERE, options),
    ...admit(name, `${name}-metrics`, ["/metrics"], SCRAPER, options),
  ];
}

/** The gateway takes requests from outside the mesh; it decides by itself. */
export function admitEverybody(name: string, options: MeshOptions): Resource[] {
  return [
    resource(
      options,
      "policy.linkerd.io/v1alpha1 AuthorizationPolicy",
      { name: `${name}-from-anybody`, workload: name },
      {
        spec: {
          targetRef: { group: "policy.linkerd.io", kind: "Server", name },
          requiredAuthenticationRefs: [ANYWHERE],
        },
      },
    ),
  ];
}

function admit(
  workload: string,
  name: string,
  paths: readonly string[],
  authentication: object,
  options: MeshOptions,
): Resource[] {
  const rules = Array.from({ length: Math.ceil(paths.length / MATCHES_PER_RULE) }, (_, rule) => ({
    matches: paths
      .slice(rule * MATCHES_PER_RULE, (rule + 1) * MATCHES_PER_RULE)
      .map((value) => ({ path: { type: "Exact", value } })),
  }));
  return [
    resource(
      options,
      "gateway.networking.k8s.io/v1 HTTPRoute",
      { name, workload },
      { spec: { parentRefs: [{ group: "policy.linkerd.io", kind: "Server", name: workload }], rules } },
    ),
    resource(
      options,
      "policy.linkerd.io/v1alpha1 AuthorizationPolicy",
      { name, workload },
      {
        spec: {
          targetRef: { group: "gateway.networking.k8s.io", kind: "HTTPRoute", name },
          requiredAuthenticationRefs: [authentication],
        },
      },
    ),
  ];
}
