import type { MeshService } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";

/** Whether a service has methods that look at the user, and the mesh knows whose tokens count. */
export function looksAtUsers({ methods }: MeshService, { tokens }: MeshOptions): boolean {
  const kinds = ["signed_in", "roles", "owner"];
  return tokens !== undefined && methods.some(({ policy }) => kinds.includes(policy.access.kind));
}

/** Rules of a RequestAuthentication; none where the mesh does not know whose tokens count. */
export function jwtRules({ tokens }: MeshOptions): object[] {
  if (!tokens) return [];
  // The process checks the token once more, and what it owns: so it must arrive.
  const { issuer, audience, jwksUrl } = tokens;
  return [{ issuer, audiences: [audience], jwksUri: jwksUrl, forwardOriginalToken: true }];
}
