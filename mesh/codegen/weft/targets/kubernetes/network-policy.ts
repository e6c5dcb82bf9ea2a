/** Which connections the network lets through: below the mesh, for the day its policy is wrong. */
import { EDGE } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import { podsOf, type Resource, resource } from "../../output/resource.ts";
import { adminPort, OBSERVABILITY } from "./environment.ts";
import { ANY_WORKLOAD, EVERYWHERE, type Workload } from "./workload.ts";

/** Tunnels that connections arrive in: Istio's HBONE in ambient mode, Linkerd's proxy. */
const TUNNEL_PORTS = [15_008, 4_143];

const namespaces = (...names: string[]) => ({
  namespaceSelector: {
    matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "In", values: names }],
  },
});
const tcp = (...ports: number[]) => ports.map((port) => ({ protocol: "TCP", port }));
const pods = (name: string) => ({ podSelector: podsOf(name) });
const waypoint = { podSelector: { matchLabels: { "gateway.networking.k8s.io/gateway-name": "waypoint" } } };

export function networkPolicy(workload: Workload, options: MeshOptions): Resource {
  const { name, callees, hasDatabase } = workload;
  const ports = tcp(options.port, ...TUNNEL_PORTS);
  const figures = name === EDGE ? tcp(adminPort(options), ...TUNNEL_PORTS) : ports;
  const database = { podSelector: { matchLabels: { "cnpg.io/cluster": `${name}-db` } } };
  return policy(name, options, podsOf(name), {
    ingress: [ingressFrom(workload, ports), { from: [namespaces(OBSERVABILITY)], ports: figures }],
    egress: [
      ...(callees.length > 0 ? [{ to: [...callees.map(pods), waypoint], ports }] : []),
      { to: [pods("nats")], ports: tcp(4_222, ...TUNNEL_PORTS) },
      ...(hasDatabase ? [{ to: [database], ports: tcp(5_432) }] : []),
      { to: [namespaces(OBSERVABILITY)], ports: tcp(4_317, 4_318) },
      { to: [namespaces("kube-system")], ports: [{ protocol: "UDP", port: 53 }, ...tcp(53)] },
      // Control planes, which proxies get their certificates and routes from.
      { to: [namespaces("istio-system", "linkerd")] },
    ],
  });
}

function ingressFrom({ callers }: Workload, ports: object[]): object {
  if (callers === EVERYWHERE) return { ports };
  if (callers === ANY_WORKLOAD) return { from: [{ podSelector: {} }], ports };
  return { from: [...callers.map(pods), waypoint], ports };
}

/** What no other policy allows is refused. */
export function denyByDefault(options: MeshOptions): Resource {
  return policy("deny-by-default", options, {}, {});
}

function policy(name: string, options: MeshOptions, podSelector: object, rules: object): Resource {
  return resource(
    options,
    "networking.k8s.io/v1 NetworkPolicy",
    { name },
    { spec: { podSelector, policyTypes: ["Ingress", "Egress"], ...rules } },
  );
}
