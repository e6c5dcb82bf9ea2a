/**
 * Errors between services. Rules and use cases throw ServiceError; the server turns it into a status
 * with google.rpc details, and everything else into INTERNAL without a word about the cause.
 */
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  type RetryInfo,
  RetryInfoSchema,
} from "#gen/google/rpc/error_details_pb.ts";
import { isDatabaseUnavailable } from "../storage/sql-state.ts";

/** A field of the request and what is wrong with it. */
export interface FieldViolation {
  /** Path in the request by proto field names, such as "items[0].product_id". */
  readonly field: string;
  readonly description: string;
}

/** A refusal that callers may see: code, reason of the contract's ErrorReason, and the fields. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  readonly code: Code;
  readonly reason: string;
  readonly fields: readonly FieldViolation[];
  readonly metadata: Readonly<Record<string, string>>;
  /** When the same request may succeed, in milliseconds from now; undefined: nobody knows. */
  readonly retryAfterMs: number | undefined;

  /**
   * @param reason a value name of the service's ErrorReason enum
   * @param message for developers, in English, without secrets
   */
  constructor(
    code: Code,
    reason: string,
    message: string,
    details: {
      fields?: readonly FieldViolation[];
      metadata?: Record<string, string>;
      retryAfterMs?: number;
    } = {},
  ) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.fields = details.fields ?? [];
    this.metadata = details.metadata ?? {};
    this.retryAfterMs = details.retryAfterMs;
  }
}

const fromUpstream = new WeakMap<Error, string>();

/** Codes of an upstream's failure that also say the right thing to this service's own caller. */
const passesThrough: ReadonlySet<Code> = new Set([
  Code.Unavailable,
  Code.DeadlineExceeded,
  Code.ResourceExhausted,
  Code.Canceled,
]);

/** Marks a status as the answer of `upstream` to this service, which is not an answer to its caller. */
export function markUpstreamError(error: unknown, upstream: string): ConnectError {
  const status = ConnectError.from(error);
  fromUpstream.set(status, upstream);
  return status;
}

/**
 * Status for `error`. `domain` is the proto package of the service (ErrorInfo.domain).
 * Unknown errors become INTERNAL with a fixed text; `cause` keeps the original for the log.
 */
export function toStatus(error: unknown, domain: string): ConnectError {
  if (error instanceof ConnectError) {
    const upstream = fromUpstream.get(error);
    if (upstream === undefined) return error;
    if (passesThrough.has(error.code))
      return new ConnectError(`${upstream} is not available now`, error.code, undefined, undefined, error);
    return new ConnectError("internal error", Code.Internal, undefined, undefined, error);
  }
  if (isDatabaseUnavailable(error)) {
    return new ConnectError("the database is busy or away", Code.Unavailable, undefined, undefined, error);
  }
  if (!(error instanceof ServiceError)) {
    return new ConnectError("internal error", Code.Internal, undefined, undefined, error);
  }
  const status = new ConnectError(error.message, error.code, undefined, undefined, error);
  status.details.push({
    desc: ErrorInfoSchema,
    value: create(ErrorInfoSchema, { reason: error.reason, domain, metadata: { ...error.metadata } }),
  });
  if (error.fields.length > 0) status.details.push(badRequest(error.fields));
  if (error.retryAfterMs !== undefined) status.details.push(retryInfo(error.retryAfterMs));
  return status;
}

/** google.rpc.BadRequest as a detail of a ConnectError. */
export function badRequest(fields: readonly FieldViolation[]): ConnectError["details"][number] {
  const fieldViolations = fields.map(({ field, description }) => ({ field, description }));
  return { desc: BadRequestSchema, value: create(BadRequestSchema, { fieldViolations }) };
}

/** google.rpc.RetryInfo as a detail of a ConnectError, in whole seconds as Retry-After has them. */
export function retryInfo(retryAfterMs: number): { desc: typeof RetryInfoSchema; value: RetryInfo } {
  const seconds = BigInt(Math.max(1, Math.ceil(retryAfterMs / 1_000)));
  return { desc: RetryInfoSchema, value: create(RetryInfoSchema, { retryDelay: { seconds } }) };
}

/** Reason in the ErrorInfo of a status received from an upstream; undefined without one. */
export function reasonOf(error: unknown): string | undefined {
  return error instanceof ConnectError ? error.findDetails(ErrorInfoSchema)[0]?.reason : undefined;
}
