import type { MeshService } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import { podsOf, type Resource, resource } from "../../output/resource.ts";
import { allowRules } from "../istio/allow-rules.ts";
import { OBSERVABILITY } from "../istio/mesh-wide.ts";

/** Who may call what of a service. */
export function allowCallers(service: MeshService, options: MeshOptions): Resource {
  return allow(service.name, options, [...allowRules(service.methods, options), metricsRule]);
}

/** The gateway is open: it decides by itself. */
export function allowEverybody(name: string, options: MeshOptions): Resource {
  return allow(name, options, [{ to: [{ operation: { ports: [String(options.port)] } }] }]);
}

const metricsRule = {
  from: [{ source: { namespaces: [OBSERVABILITY] } }],
  to: [{ operation: { paths: ["/metrics"], methods: ["GET"] } }],
};

function allow(name: string, options: MeshOptions, rules: readonly object[]): Resource {
  return resource(
    options,
    "security.istio.io/v1 AuthorizationPolicy",
    { name: `${name}-callers`, workload: name },
    { spec: { selector: podsOf(name), action: "ALLOW", rules } },
  );
}
