import type { MeshOptions } from "../../options.ts";
import { podsOf, type Resource, resource } from "../../output/resource.ts";

/**
 * The port of a workload, closed but for what a policy opens. The protocol is detected, since beside gRPC there
 * are plain HTTP requests: metrics, probes, and Connect's GET.
 */
export function server(name: string, options: MeshOptions): Resource {
  return resource(
    options,
    "policy.linkerd.io/v1beta3 Server",
    { name, workload: name },
    {
      spec: {
        podSelector: podsOf(name),
        port: options.port,
        proxyProtocol: "unknown",
        accessPolicy: "deny",
      },
    },
  );
}
