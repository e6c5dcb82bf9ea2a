/** Spans of calls by the semantic conventions for RPC (opentelemetry.io/docs/specs/semconv/rpc/rpc-spans). */
import { type DescMethod, hasOption } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { service as serviceOption } from "#gen/weft/policy/v1/policy_pb.ts";
import { policyOf } from "../policy/method-policy.ts";
import type { SpanKind, SpanType } from "./span.ts";

/** What telemetry knows of a method before it is called. */
export interface CallType {
  /** rpc.method: "pkg.v1.Service/Method". */
  readonly method: string;
  readonly span: SpanType;
  /** A call that takes longer is kept, in milliseconds; without a policy, and for streams, no time is too long. */
  readonly slowMs: number;
}

/** @param attributes known of every call */
export function callType(
  method: DescMethod,
  kind: typeof SpanKind.server | typeof SpanKind.client,
  attributes: SpanType["attributes"] = {},
): CallType {
  const name = `${method.parent.typeName}/${method.name}`;
  const hasLimits = method.methodKind === "unary" && hasOption(method.parent, serviceOption);
  return {
    method: name,
    span: { name, kind, attributes: { "rpc.system.name": "grpc", "rpc.method": name, ...attributes } },
    slowMs: hasLimits ? policyOf(method).slowMs : Number.POSITIVE_INFINITY,
  };
}

/** Names of gRPC's codes by number: "OK", "NOT_FOUND". */
export const codeNames: readonly string[] = Array.from({ length: 17 }, (_, code) =>
  code === 0 ? "OK" : (Code[code] as string).replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase(),
);

/** Codes that are the server's fault and not its caller's (semantic conventions for gRPC, server spans). */
const faults: ReadonlySet<number> = new Set([
  Code.Unknown,
  Code.DeadlineExceeded,
  Code.Unimplemented,
  Code.Internal,
  Code.Unavailable,
  Code.DataLoss,
]);

export function isServerFault(code: number): boolean {
  return faults.has(code);
}

/** gRPC code of how a call ended: 0 for OK. */
export function codeOf(error: unknown): number {
  return error === undefined ? 0 : ConnectError.from(error).code;
}

/** Attributes that say how a call ended; made once for each code. */
export const statusAttributes = codeNames.map((name) => ({ "rpc.response.status_code": name }));
