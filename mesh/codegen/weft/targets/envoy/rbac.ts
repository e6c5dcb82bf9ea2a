/** Who may call what, and for which users, in the callee's sidecar. */
import { ANYBODY, type MeshMethod } from "../../contract/model.ts";
import type { MeshOptions } from "../../options.ts";
import { groupMethods } from "../method-groups.ts";
import { looksAtUser, USER_CLAIMS } from "./jwt.ts";
import { spiffeId } from "./places.ts";

/** Filter that lets pass the callers that a policy names and answers PERMISSION_DENIED to the rest. */
export function callersFilter(methods: readonly MeshMethod[], options: MeshOptions): object {
  const admitting = methods.filter(({ policy }) => policy.callers.length > 0);
  const groups = groupMethods(admitting, ({ policy: { callers } }) =>
    // Anybody with a certificate of the mesh.
    callers.includes(ANYBODY) ? undefined : callers.map((caller) => spiffeId(caller, options)),
  );
  const policies = groups.map(({ key: ids, methods: alike }) =>
    policyOf(alike, ids ? anyOf(ids.map(certificateOf)) : { any: true }),
  );
  const health = {
    permissions: [pathIs({ prefix: "/grpc.health.v1.Health/" })],
    principals: [{ any: true }],
  };
  return allow({ ...Object.fromEntries(policies), health });
}

/**
 * Filter that asks for the role that a method wants of its users; nothing where no method wants one. Tokens have been
 * checked by then.
 */
export function usersFilters(methods: readonly MeshMethod[], options: MeshOptions): object[] {
  const asking = methods.filter((method) => looksAtUser(method, options));
  if (asking.length === 0) return [];
  const groups = groupMethods(asking, ({ policy: { access } }) =>
    // An owner needs no role; those in or_roles are told from owners by the process.
    access.kind === "roles" ? access.roles : [],
  );
  const policies = groups.map(({ key: roles, methods: alike }) => {
    const known = claim("sub", { string_match: { safe_regex: { regex: ".+" } } });
    const needed = roles.length > 0 ? { and_ids: { ids: [known, anyOf(roles.map(roleIs))] } } : known;
    return policyOf(alike, needed);
  });
  const rest = { permissions: [{ not_rule: pathsOf(asking) }], principals: [{ any: true }] };
  return [allow({ ...Object.fromEntries(policies), "without-user": rest })];
}

function allow(policies: object): object {
  return {
    name: "envoy.filters.http.rbac",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
      rules: { action: "ALLOW", policies },
    },
  };
}

/** Named after the first of the methods. */
function policyOf(methods: readonly MeshMethod[], principal: object): [string, object] {
  return [methods[0]!.path.slice(1), { permissions: [pathsOf(methods)], principals: [principal] }];
}

function pathsOf(methods: readonly MeshMethod[]): object {
  return { or_rules: { rules: methods.map(({ path }) => pathIs({ exact: path })) } };
}

function pathIs(path: object): object {
  return { url_path: { path } };
}

function anyOf(ids: readonly object[]): object {
  return { or_ids: { ids } };
}

function certificateOf(id: string): object {
  return { authenticated: { principal_name: { exact: id } } };
}

function roleIs(role: string): object {
  return claim("roles", { list_match: { one_of: { string_match: { exact: role } } } });
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
