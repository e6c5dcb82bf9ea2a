/** gRPC status codes (google/rpc/code.proto) by name. */
export const Code = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

/** HTTP status for each gRPC code, in code order (google/rpc/code.proto; 499 for CANCELLED). */
const HTTP_STATUS = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];

/** HTTP status for a gRPC code; a code nobody named counts as UNKNOWN. */
export function httpStatusOf(code: number): number {
  return HTTP_STATUS[code] ?? 500;
}

/** One `google.protobuf.Any` of an error: `typeUrl` with its prefix, `value` the message's bytes. */
export interface StatusDetail {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

export interface StatusExtras {
  /** HTTP status where the code's own does not fit, such as 405 or 415. */
  readonly httpStatus?: number;
  /** Response headers that belong to the error, such as `allow`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly details?: readonly StatusDetail[];
  /** Path of the request field at fault; becomes a `google.rpc.BadRequest` violation. */
  readonly field?: string;
  readonly cause?: unknown;
}

/** A failed call: what an upstream answered, or what the gateway itself refuses. */
export class StatusError extends Error {
  override readonly name = "StatusError";
  readonly code: number;
  readonly httpStatus: number | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly details: readonly StatusDetail[];
  readonly field: string | undefined;

  constructor(code: number, message: string, extras: StatusExtras = {}) {
    super(message, extras.cause === undefined ? undefined : { cause: extras.cause });
    this.code = code in HTTP_STATUS ? code : Code.unknown;
    this.httpStatus = extras.httpStatus;
    this.headers = extras.headers ?? {};
    this.details = extras.details ?? [];
    this.field = extras.field;
  }

  /**
   * Any thrown value as a status. Errors of the Connect library are recognised by their shape (`code`,
   * `rawMessage`, `details`); everything else becomes INTERNAL without its text, which may hold secrets.
   */
  static from(reason: unknown): StatusError {
    if (reason instanceof StatusError) return reason;
    if (isConnectError(reason)) {
      return new StatusError(reason.code, reason.rawMessage, {
        details: encodedDetails(reason.details),
        headers: challengeHeaders(reason.metadata),
        cause: reason,
      });
    }
    return new StatusError(Code.internal, "internal error", { cause: reason });
  }
}

interface ConnectErrorShape {
  code: number;
  rawMessage: string;
  details: unknown[];
  metadata?: Headers;
}

function isConnectError(reason: unknown): reason is ConnectErrorShape {
  const error = reason as Partial<ConnectErrorShape> | null;
  return typeof error === "object" && typeof error?.code === "number" && typeof error.rawMessage === "string";
}

/** Details of an error that came over the wire carry bytes; those made locally are encoded by the host. */
function encodedDetails(details: unknown[] | undefined): StatusDetail[] {
  const encoded: StatusDetail[] = [];
  for (const detail of (details ?? []) as { type?: unknown; value?: unknown }[]) {
    if (typeof detail.type === "string" && detail.value instanceof Uint8Array) {
      encoded.push({ typeUrl: `type.googleapis.com/${detail.type}`, value: detail.value });
    }
  }
  return encoded;
}

function challengeHeaders(metadata: Headers | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of ["www-authenticate", "retry-after"]) {
    const value = metadata?.get(name);
    if (value) headers[name] = value;
  }
  return headers;
}

/** INVALID_ARGUMENT for one request field; `field` is its path as the caller wrote it. */
export function invalidField(field: string, reason: string): StatusError {
  return new StatusError(Code.invalidArgument, `${field}: ${reason}`, { field });
}

/** INVALID_ARGUMENT for a request that is malformed as a whole. */
export function malformed(reason: string): StatusError {
  return new StatusError(Code.invalidArgument, reason);
}
