import type { MeshMethod } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import { groupMethods } from "../method-groups.ts";
import { type Admission, admissionOf } from "./principals.ts";

/** Rules of an AuthorizationPolicy with action ALLOW: one for all methods that admit the same. */
export function allowRules(methods: readonly MeshMethod[], options: MeshOptions): object[] {
  const admitting = methods.filter(({ policy }) => policy.callers.length > 0);
  return groupMethods(admitting, (method) => admissionOf(method, options)).map(({ key, methods: alike }) => ({
    ...fromOf(key, options),
    to: [{ operation: { paths: alike.map(({ path }) => path) } }],
    ...(key.roles.length > 0 && { when: [{ key: "request.auth.claims[roles]", values: key.roles }] }),
  }));
}

/** RequestAuthentication alone lets requests without a token pass, so the rule asks for a user. */
function fromOf({ principals, user }: Admission, { tokens }: MeshOptions): object {
  const source = {
    ...(principals && { principals }),
    ...(user && tokens && { requestPrincipals: [`${tokens.issuer}/*`] }),
  };
  return Object.keys(source).length > 0 ? { from: [{ source }] } : {};
}
