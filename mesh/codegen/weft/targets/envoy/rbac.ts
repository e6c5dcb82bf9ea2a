/** Who may call what, in the callee's sidecar. */
import { ANYBODY, type MeshMethod } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import { groupMethods } from "../method-groups.ts";
import { USER_CLAIMS } from "./jwt.ts";
import { spiffeId } from "./places.ts";

/** Filter that lets pass what a policy names and answers PERMISSION_DENIED to the rest. */
export function rbacFilter(methods: readonly MeshMethod[], options: MeshOptions): object {
  const admitting = methods.filter(({ policy }) => policy.callers.length > 0);
  const groups = groupMethods(admitting, (method) => admissionOf(method, options));
  const policies = groups.map(({ key, methods: alike }) => [
    alike[0]!.path.slice(1),
    {
      permissions: [{ or_rules: { rules: alike.map(({ path }) => pathIs({ exact: path })) } }],
      principals: [principalsOf(key)],
    },
  ]);
  const health = {
    permissions: [pathIs({ prefix: "/grpc.health.v1.Health/" })],
    principals: [{ any: true }],
  };
  return {
    name: "envoy.filters.http.rbac",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
      rules: { action: "ALLOW", policies: { ...Object.fromEntries(policies), health } },
    },
  };
}

interface Admission {
  /** Undefined: anybody with a certificate of the mesh. */
  readonly ids: readonly string[] | undefined;
  readonly user: boolean;
  readonly roles: readonly string[];
}

function admissionOf({ policy: { access, callers } }: MeshMethod, options: MeshOptions): Admission {
  const user = options.tokens !== undefined && ["signed_in", "roles", "owner"].includes(access.kind);
  return {
    ids: callers.includes(ANYBODY) ? undefined : callers.map((caller) => spiffeId(caller, options)),
    user,
    roles: user && access.kind === "roles" ? access.roles : [],
  };
}

function pathIs(path: object): object {
  return { url_path: { path } };
}

function principalsOf({ ids, user, roles }: Admission): object {
  const caller = ids && {
    or_ids: { ids: ids.map((id) => ({ authenticated: { principal_name: { exact: id } } })) },
  };
  const conditions = [
    ...(caller ? [caller] : []),
    ...(user ? [claim("sub", { string_match: { safe_regex: { regex: ".+" } } })] : []),
    ...(roles.length > 0 ? [anyRole(roles)] : []),
  ];
  if (conditions.length === 0) return { any: true };
  return conditions.length === 1 ? conditions[0]! : { and_ids: { ids: conditions } };
}

function anyRole(roles: readonly string[]): object {
  const ids = roles.map((role) =>
    claim("roles", { list_match: { one_of: { string_match: { exact: role } } } }),
  );
  return { or_ids: { ids } };
}

/** Matches a claim of the token that the JWT filter has checked before. */
function claim(name: string, value: object): object {
  const path = [USER_CLAIMS, name].map((key) => ({ key }));
  return {
    sourced_metadata: {
      metadata_matcher: { filter: "envoy.filters.http.jwt_authn", path, value },
      metadata_source: "DYNAMIC",
    },
  };
}
