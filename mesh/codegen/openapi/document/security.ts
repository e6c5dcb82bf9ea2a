/** Security schemes and requirements from access rules. */
import type { Access } from "#gen/weft/policy/v1/policy_pb.ts";
import type { Operation } from "../contract/model.ts";
import type { JsonObject } from "../schema/json.ts";

const scheme = "bearer";

/** Whether a call needs a user's access token. */
export function needsUser(access: Access["rule"]): boolean {
  return access.case === "signedIn" || access.case === "roles" || access.case === "owner";
}

/**
 * Requirements of one operation. For schemes other than OAuth, OpenAPI 3.1 has the roles in the list beside the
 * scheme, all of which are needed; "any of" is one requirement per role.
 */
export function securityOf(access: Access["rule"]): JsonObject[] {
  if (access.case === "roles" && access.value.anyOf.length > 0)
    return access.value.anyOf.map((role) => ({ [scheme]: [role] }));
  return needsUser(access) ? [{ [scheme]: [] }] : [];
}

/** components.securitySchemes; undefined where no operation needs a user. */
export function securitySchemes(operations: readonly Operation[]): JsonObject | undefined {
  if (!operations.some(({ policy }) => needsUser(policy.access))) return undefined;
  return {
    [scheme]: {
      type: "http",
      scheme: "bearer",
      bearerFormat: "JWT",
      description: "An access token (RFC 9068) in the header `Authorization: Bearer …`.",
    },
  };
}
