import type { MeshOptions } from "../../options.ts";
import { podsOf, type Resource, resource } from "../../output/resource.ts";

/** Port of the Service for requests over HTTP/1.1, such as those of Prometheus; the pods serve both on one port. */
export function httpPort({ port }: MeshOptions): number {
  return port + 1;
}

/**
 * Two names for one port. Linkerd takes an unknown appProtocol, "grpc" among them, for opaque TCP; h2c is known to
 * it and to Istio.
 */
export function service(name: string, options: MeshOptions): Resource {
  const { port } = options;
  return resource(
    options,
    "v1 Service",
    { name, workload: name },
    {
      spec: {
        selector: podsOf(name).matchLabels,
        ports: [
          { name: "grpc", port, targetPort: port, protocol: "TCP", appProtocol: "kubernetes.io/h2c" },
          { name: "http", port: httpPort(options), targetPort: port, protocol: "TCP", appProtocol: "http" },
        ],
      },
    },
  );
}
