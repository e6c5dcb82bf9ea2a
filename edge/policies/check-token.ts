import type { VerifyUser } from "#mesh/runtime/identity/user-token.ts";
import { checkUser } from "#mesh/runtime/policy/access.ts";
import { headerOf, type Step } from "./passage.ts";

/**
 * Checks the access token where the method's access rule uses one, and the rule itself. Where the rule uses none, the
 * token stays here unread: a mesh would refuse the call for one that has expired.
 */
export function checkToken(verifyUser: VerifyUser): Step {
  return (passage) => {
    const { call, policy } = passage;
    if (!policy) return;
    const usesToken = policy.access?.case !== "public";
    if (!usesToken) delete call.metadata.authorization;
    const authorization = usesToken ? headerOf(call, "authorization") : undefined;
    if (authorization === undefined) return checkUser(call.method, undefined);
    const principal = verifyUser(authorization);
    if (principal instanceof Promise) {
      return principal.then((user) => {
        passage.principal = user;
        checkUser(call.method, user);
      });
    }
    passage.principal = principal;
    checkUser(call.method, principal);
  };
}
