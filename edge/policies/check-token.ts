import type { VerifyUser } from "#mesh/runtime/identity/user-token.ts";
import { checkUser } from "#mesh/runtime/policy/access.ts";
import { headerOf, type Step } from "./passage.ts";

/** Checks the access token where the method's access rule uses one, and the rule itself. */
export function checkToken(verifyUser: VerifyUser): Step {
  return (passage) => {
    const { call, policy } = passage;
    if (!policy) return;
    const authorization = policy.access?.case === "public" ? undefined : headerOf(call, "authorization");
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
