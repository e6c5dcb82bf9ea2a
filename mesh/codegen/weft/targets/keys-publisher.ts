import type { MeshOptions } from "../options.ts";

/** Service of the mesh that publishes the keys of users' tokens; undefined where somebody outside does, or nobody. */
export function keysPublisher({ tokens, namespace }: MeshOptions): string | undefined {
  if (!tokens) return undefined;
  const { hostname } = new URL(tokens.jwksUrl);
  return hostname.endsWith(`.${namespace}.svc.cluster.local`) ? hostname.split(".")[0] : undefined;
}
