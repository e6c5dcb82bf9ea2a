/**
 * What the contract's options say of a call, read from the options alone: not by way of the runtime that obeys
 * them, against which it is held.
 */
import { type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";
import {
  type Access,
  method as methodOption,
  service as serviceOption,
} from "#gen/weft/policy/v1/policy_pb.ts";

/** How a caller appears: a workload with a valid proof, by name; or one of these. */
export const withoutProof = "no certificate";
export const withBadProof = "bad certificate";

/** A user, or what is wrong with the token that is shown. */
export interface User {
  readonly name: string;
  readonly roles: readonly string[];
  /** Reason why the token is refused; undefined for a good one. */
  readonly refused?: string;
}

/** Owner of everything that the stubs' requests and replies name. */
export const owner: User = { name: "the owner", roles: ["customer"] };

export const users: readonly (User | undefined)[] = [
  undefined,
  owner,
  { name: "another customer", roles: ["customer"] },
  { name: "an admin", roles: ["admin"] },
  { name: "somebody without roles", roles: [] },
  { name: "an expired token", roles: ["customer", "admin"], refused: "TOKEN_EXPIRED" },
  { name: "a revoked token", roles: ["customer", "admin"], refused: "TOKEN_REVOKED" },
  { name: "a forged token", roles: ["customer", "admin"], refused: "TOKEN_INVALID" },
];

/** "OK", or code and reason of the refusal. */
export function expected(method: DescMethod, caller: string, user: User | undefined): string {
  const { callers, access } = optionsOf(method);
  if (caller === withBadProof) return "Unauthenticated WORKLOAD_INVALID";
  if (!callers.includes("*")) {
    if (caller === withoutProof) return "Unauthenticated WORKLOAD_MISSING";
    if (!callers.includes(caller)) return "PermissionDenied CALLER_DENIED";
  }
  switch (access?.rule.case) {
    case "public":
    case "serviceOnly":
      return "OK";
    case "signedIn":
      return signedIn(user) ?? "OK";
    case "roles": {
      const { anyOf } = access.rule.value;
      const has = user?.roles.some((role) => anyOf.includes(role));
      return signedIn(user) ?? (has ? "OK" : "PermissionDenied ROLE_MISSING");
    }
    case "owner": {
      const { location, orRoles } = access.rule.value;
      const owns = location.case === "subject" || user === owner;
      const asOwner = user?.roles.some((role) => orRoles.includes(role));
      return signedIn(user) ?? (owns || asOwner ? "OK" : "NotFound NOT_FOUND");
    }
    default:
      return "PermissionDenied NO_ACCESS_RULE";
  }
}

function signedIn(user: User | undefined): string | undefined {
  if (!user) return "Unauthenticated TOKEN_MISSING";
  return user.refused && `Unauthenticated ${user.refused}`;
}

/** A method's own options before its service's defaults. */
export function optionsOf(method: DescMethod): { callers: string[]; access: Access | undefined } {
  const own = hasOption(method, methodOption) ? getOption(method, methodOption) : undefined;
  const defaults = getOption(method.parent, serviceOption).defaults;
  return {
    callers: own?.callers.length ? own.callers : (defaults?.callers ?? []),
    access: own?.access ?? defaults?.access,
  };
}
