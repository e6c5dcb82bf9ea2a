import type { MeshService } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";

/** Rules of a RequestAuthentication; undefined where no method looks at the user, or the mesh cannot. */
export function jwtRules({ methods }: MeshService, { tokens }: MeshOptions): object[] | undefined {
  const looks = methods.some(({ policy }) => ["signed_in", "roles", "owner"].includes(policy.access.kind));
  if (!tokens || !looks) return undefined;
  // The process checks the token once more, and what it owns: so it must arrive.
  const { issuer, audience, jwksUrl } = tokens;
  return [{ issuer, audiences: [audience], jwksUri: jwksUrl, forwardOriginalToken: true }];
}
