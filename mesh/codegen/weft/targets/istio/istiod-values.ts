import type { GeneratedFile } from "../../output/generated-file.ts";
import { headerOfAll } from "../../output/header.ts";
import { yamlFile } from "../../output/yaml-file.ts";

/**
 * Values for the Helm chart "istiod" without which the policies mean something else: Istio's default of two
 * retries goes, and proxies fetch the keys of users' tokens themselves, since istiod, outside the mesh, could not
 * reach a service that admits mutual TLS only.
 */
export function istiodValues(mode: "sidecar" | "ambient"): GeneratedFile {
  return yamlFile("istiod-values.yaml", headerOfAll, [
    {
      // Without it istiod knows of no waypoint.
      ...(mode === "ambient" && { profile: "ambient" }),
      env: { PILOT_JWT_ENABLE_REMOTE_JWKS: "true" },
      meshConfig: {
        defaultHttpRetryPolicy: { attempts: 0 },
        enablePrometheusMerge: false,
        outboundTrafficPolicy: { mode: "REGISTRY_ONLY" },
      },
    },
  ]);
}
