import type { MeshOptions } from "../../options.ts";
import { hostOf } from "../../output/resource.ts";

/** The service of the namespace that issues users' access tokens: the one whose host has the keys. */
export function tokenIssuer(options: MeshOptions): string | undefined {
  if (!options.tokens) return undefined;
  const host = new URL(options.tokens.jwksUrl).hostname;
  const name = host.split(".")[0]!;
  return host === hostOf(name, options) ? name : undefined;
}
