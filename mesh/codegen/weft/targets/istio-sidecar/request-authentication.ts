import type { MeshService } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import { podsOf, type Resource, resource } from "../../output/resource.ts";
import { jwtRules, looksAtUsers } from "../istio/jwt-rules.ts";

/** Whose tokens count; nothing for a service that looks at no user. */
export function requestAuthentication(service: MeshService, options: MeshOptions): Resource[] {
  if (!looksAtUsers(service, options)) return [];
  return [
    resource(
      options,
      "security.istio.io/v1 RequestAuthentication",
      { name: `${service.name}-users`, workload: service.name },
      { spec: { selector: podsOf(service.name), jwtRules: jwtRules(options) } },
    ),
  ];
}
