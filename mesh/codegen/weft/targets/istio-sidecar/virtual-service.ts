import type { MeshMethod, MeshService } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import { goDuration } from "../../output/duration.ts";
import { hostOf, type Resource, resource } from "../../output/resource.ts";
import { istioRetries } from "../istio/retries.ts";
import type { Subsets } from "./subsets.ts";

/** One route for each method, and a last one, never retried, for what is in no contract: health, metrics. */
export function virtualService(service: MeshService, subsets: Subsets, options: MeshOptions): Resource {
  const host = hostOf(service.name, options);
  const to = (subset?: string) => [
    { destination: { host, ...(subset && { subset }), port: { number: options.port } } },
  ];
  const routeOf = (method: MeshMethod) => ({
    name: `${method.service}.${method.name}`,
    match: [{ uri: { exact: method.path } }],
    timeout: goDuration(method.policy.timeoutMs),
    retries: istioRetries(method.policy.retry),
    route: to(subsets.nameFor(method)),
  });
  const rest = { name: "everything-else", retries: { attempts: 0 }, route: to() };
  return resource(
    options,
    "networking.istio.io/v1 VirtualService",
    { name: service.name, workload: service.name },
    { spec: { hosts: [host], http: [...service.methods.map(routeOf), rest] } },
  );
}
