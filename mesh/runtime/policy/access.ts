/**
 * Who may call: service callers × user access, both from the contract, both denied by default.
 * The same check runs at the edge and in every service.
 */
import type { DescField, DescMessage, DescMethod, Message } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { Owner } from "#gen/weft/policy/v1/policy_pb.ts";
import type { Principal } from "../identity/principal.ts";
import { ServiceError } from "../rpc/errors.ts";
import { policyOf } from "./method-policy.ts";

/**
 * Refuses a caller that is not on the method's list.
 * @param caller name of the calling service; undefined for one without a workload identity
 * @throws ServiceError UNAUTHENTICATED for one without identity, PERMISSION_DENIED otherwise
 */
export function checkCaller(method: DescMethod, caller: string | undefined): void {
  const { callers } = policyOf(method);
  if (callers.has("*") || (caller !== undefined && callers.has(caller))) return;
  if (caller === undefined)
    throw new ServiceError(
      Code.Unauthenticated,
      "WORKLOAD_MISSING",
      `${method.name} needs the certificate of a service of the mesh`,
    );
  throw new ServiceError(Code.PermissionDenied, "CALLER_DENIED", `${caller} may not call ${method.name}`);
}

/**
 * Refuses a user that the method's access rule does not admit.
 * @throws ServiceError UNAUTHENTICATED without a user where one is needed, PERMISSION_DENIED otherwise
 */
export function checkUser(method: DescMethod, principal: Principal | undefined): void {
  const { access } = policyOf(method);
  switch (access?.case) {
    case "public":
    case "serviceOnly":
      return;
    case "signedIn":
    case "owner":
      if (!principal) throw missing();
      return;
    case "roles":
      if (!principal) throw missing();
      if (access.value.anyOf.some((role) => principal.roles.includes(role))) return;
      throw new ServiceError(
        Code.PermissionDenied,
        "ROLE_MISSING",
        `${method.name} needs one of the roles: ${access.value.anyOf.join(", ")}`,
      );
    default:
      throw new ServiceError(Code.PermissionDenied, "NO_ACCESS_RULE", `${method.name} has no access rule`);
  }
}

/** Whether the method's policy lets the outside call it through the edge. */
export function isExposed(method: DescMethod): boolean {
  return policyOf(method).callers.has("edge");
}

/**
 * Refuses a request whose owner field names somebody else.
 * @throws ServiceError NOT_FOUND, so that ids cannot be probed
 */
export function checkRequestOwner(
  method: DescMethod,
  request: Message,
  principal: Principal | undefined,
): void {
  const owner = ownerRule(method);
  if (owner?.location.case !== "requestField") return;
  checkOwner(owner, method.input, owner.location.value, request, principal);
}

/**
 * Refuses to hand out a reply whose owner field names somebody else.
 * @throws ServiceError NOT_FOUND, so that ids cannot be probed
 */
export function checkReplyOwner(method: DescMethod, reply: Message, principal: Principal | undefined): void {
  const owner = ownerRule(method);
  if (owner?.location.case !== "responseField") return;
  checkOwner(owner, method.output, owner.location.value, reply, principal);
}

function missing(): ServiceError {
  return new ServiceError(Code.Unauthenticated, "TOKEN_MISSING", "an access token is required");
}

function ownerRule(method: DescMethod): Owner | undefined {
  const { access } = policyOf(method);
  return access?.case === "owner" ? access.value : undefined;
}

function checkOwner(
  owner: Owner,
  schema: DescMessage,
  path: string,
  message: Message,
  principal: Principal | undefined,
): void {
  if (principal && owner.orRoles.some((role) => principal.roles.includes(role))) return;
  const value = readPath(schema, path, message);
  if (principal && typeof value === "string" && value !== "" && value === principal.id) return;
  throw new ServiceError(Code.NotFound, "NOT_FOUND", "not found");
}

/** Value at a dotted path of proto field names. Throws Error for a path that the schema does not have. */
function readPath(schema: DescMessage, path: string, message: Message): unknown {
  let current: unknown = message;
  let desc: DescMessage | undefined = schema;
  for (const name of path.split(".")) {
    const field: DescField | undefined = desc?.fields.find((candidate) => candidate.name === name);
    if (!field) throw new Error(`${schema.typeName}: policy names the field "${path}", which does not exist`);
    current = (current as Record<string, unknown> | undefined)?.[field.localName];
    desc = field.fieldKind === "message" ? field.message : undefined;
  }
  return current;
}
