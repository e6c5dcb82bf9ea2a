/** Error responses: which ones an operation can give, as far as the contract tells, and the rest as "default". */
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { Operation } from "../contract/model.ts";
import type { JsonObject } from "../schema/json.ts";
import type { SchemaBook } from "../schema/schema-book.ts";
import { needsUser } from "./security.ts";
import { statusSchema } from "./status-schema.ts";

interface Refusal {
  /** HTTP status (google/rpc/code.proto has the mapping), or "default". */
  readonly status: string;
  /** Key under components.responses. */
  readonly name: string;
  readonly description: string;
  /** google.rpc.Code of the example. */
  readonly code: number;
  readonly message: string;
  readonly headers?: JsonObject;
  applies(operation: Operation): boolean;
}

const retryAfter = {
  "Retry-After": { description: "Seconds to wait.", schema: { type: "integer", minimum: 0 } },
};
const challenge = {
  "WWW-Authenticate": { description: "The challenge (RFC 6750).", schema: { type: "string" } },
};

const refusals: readonly Refusal[] = [
  {
    status: "400",
    name: "BadRequest",
    description:
      "The request is malformed or breaks a rule (INVALID_ARGUMENT), or the state forbids it (FAILED_PRECONDITION).",
    code: 3,
    message: "the request is not valid",
    applies: () => true,
  },
  {
    status: "401",
    name: "Unauthorized",
    description: "There is no valid access token (UNAUTHENTICATED).",
    code: 16,
    message: "an access token is required",
    headers: challenge,
    applies: ({ policy }) => needsUser(policy.access),
  },
  {
    status: "403",
    name: "Forbidden",
    description: "The user has none of the roles that are needed (PERMISSION_DENIED).",
    code: 7,
    message: "a role is missing",
    applies: ({ policy }) => policy.access.case === "roles",
  },
  {
    status: "404",
    name: "NotFound",
    description: "There is no such thing, or it is somebody else's (NOT_FOUND).",
    code: 5,
    message: "not found",
    applies: namesSomething,
  },
  {
    status: "409",
    name: "Conflict",
    description: "It exists already (ALREADY_EXISTS), or another call was faster (ABORTED).",
    code: 10,
    message: "another call was faster",
    applies: (operation) => !isReading(operation),
  },
  {
    status: "413",
    name: "TooLarge",
    description: "The body is too large.",
    code: 3,
    message: "the body is too large",
    applies: ({ body }) => body !== undefined,
  },
  {
    status: "415",
    name: "UnsupportedMediaType",
    description: "The body is not JSON, or has an unknown coding.",
    code: 3,
    message: "the body must be JSON",
    applies: ({ body }) => body !== undefined,
  },
  {
    status: "422",
    name: "KeyReused",
    description: "The Idempotency-Key was used with another request (INVALID_ARGUMENT).",
    code: 3,
    message: "the key was used with another request",
    applies: ({ policy }) => policy.idempotencyKeyRequired,
  },
  {
    status: "429",
    name: "TooManyRequests",
    description: "The limit of requests is reached (RESOURCE_EXHAUSTED).",
    code: 8,
    message: "too many requests",
    headers: retryAfter,
    applies: ({ policy }) => policy.rateLimit !== undefined,
  },
  {
    status: "500",
    name: "InternalError",
    description: "Something is wrong with the service (INTERNAL).",
    code: 13,
    message: "internal error",
    applies: () => true,
  },
  {
    status: "503",
    name: "Unavailable",
    description: "The service cannot answer now; later it may (UNAVAILABLE).",
    code: 14,
    message: "not available now",
    headers: retryAfter,
    applies: () => true,
  },
  {
    status: "504",
    name: "Timeout",
    description: "The time was over before the reply came (DEADLINE_EXCEEDED).",
    code: 4,
    message: "deadline exceeded",
    applies: () => true,
  },
  {
    status: "default",
    name: "Error",
    description: "Any other error.",
    code: 2,
    message: "unknown error",
    applies: () => true,
  },
];

/** The error responses of a document. */
export class Refusals {
  readonly #book: SchemaBook;
  readonly #used = new Set<Refusal>();

  constructor(book: SchemaBook) {
    this.#book = book;
  }

  /** References for one operation, by status. */
  of(operation: Operation): JsonObject {
    const status = String(operation.policy.successStatus);
    const possible = refusals.filter((refusal) => refusal.status !== status && refusal.applies(operation));
    for (const refusal of possible) this.#used.add(refusal);
    return Object.fromEntries(
      possible.map((refusal) => [refusal.status, { $ref: `#/components/responses/${refusal.name}` }]),
    );
  }

  /** components.responses: those that were referred to. */
  responses(): JsonObject {
    const used = refusals.filter((refusal) => this.#used.has(refusal));
    return Object.fromEntries(used.map((refusal) => [refusal.name, this.#response(refusal)]));
  }

  #response({ description, headers, code, message }: Refusal): JsonObject {
    const schema = statusSchema(this.#book);
    return { description, headers, content: { "application/json": { schema, example: { code, message } } } };
  }
}

function isReading({ method }: Operation): boolean {
  return method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
}

function namesSomething({ path, policy: { access } }: Operation): boolean {
  return path.parameters.length > 0 || (access.case === "owner" && access.value.location.case !== "subject");
}
