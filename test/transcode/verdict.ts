import { isDeepStrictEqual } from "node:util";
import { gunzipSync } from "node:zlib";
import { fromBinary, fromJson, type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import type { Case, Expectation } from "./case.ts";
import { partialBody, type RawAnswer } from "./raw-http.ts";
import { methodOf, registry } from "./schema.ts";
import type { RecordedCall } from "./upstream.ts";

const CODES =
  "OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED".split(
    " ",
  );

/** What is wrong with an answer and the calls made for it; empty when nothing is. */
export function verdict(one: Case, answer: RawAnswer, calls: readonly RecordedCall[]): string[] {
  const { expect } = one;
  if (expect.aborted) {
    if (answer.end !== "aborted" || answer.status === 0) return [`ended as ${answer.end}, want it aborted`];
    answer = { ...answer, body: partialBody(answer) };
  } else if (answer.end !== "complete") return [`the exchange ended as ${answer.end}`];
  return [
    ...ofStatus(expect, answer),
    ...ofHeaders(expect, answer),
    ...ofBody(one, answer),
    ...ofCalls(one, calls),
  ];
}

function ofStatus({ http_status: want }: Expectation, answer: RawAnswer): string[] {
  if (want === undefined || want === answer.status) return [];
  return [`status ${answer.status}, want ${want}: ${answer.body.toString().slice(0, 200)}`];
}

const headerOf = (answer: RawAnswer, name: string): string | null => {
  const values = answer.headers.filter(([key]) => key === name.toLowerCase()).map(([, value]) => value);
  return values.length > 0 ? values.join(", ") : null;
};
const mediaType = (text: string): string => text.split(";")[0]!.trim().toLowerCase();

function ofHeaders({ response_headers: wanted = {} }: Expectation, answer: RawAnswer): string[] {
  return Object.entries(wanted).flatMap(([name, want]) => {
    const have = headerOf(answer, name);
    return headerFits(name, have, want)
      ? []
      : [`header ${name}: ${JSON.stringify(have)}, want ${JSON.stringify(want)}`];
  });
}

function headerFits(
  name: string,
  have: string | null,
  want: NonNullable<Expectation["response_headers"]>[string],
): boolean {
  if (have === null || want === null) return have === want;
  if (typeof want === "object") {
    if (want.contains !== undefined) return have.toLowerCase().includes(want.contains.toLowerCase());
    return isDeepStrictEqual(have.split(/\s*,\s*/).sort(), [...(want.set ?? [])].sort());
  }
  return name.toLowerCase() === "content-type" && !want.includes(";")
    ? mediaType(have) === mediaType(want)
    : have === want;
}

function ofBody(one: Case, answer: RawAnswer): string[] {
  const { expect } = one;
  const body =
    headerOf(answer, "content-encoding") === "gzip" && answer.body.length > 0
      ? gunzipSync(answer.body)
      : answer.body;
  const failures: string[] = [];
  if ("response_body" in expect) {
    const have = json(body);
    if (!isDeepStrictEqual(have, expect.response_body))
      failures.push(`body ${body.toString().slice(0, 300)}`);
  }
  if (expect.response_body_text !== undefined && body.toString() !== expect.response_body_text) {
    failures.push(`body text ${JSON.stringify(body.toString().slice(0, 300))}`);
  }
  if (expect.response_body_base64 !== undefined && body.toString("base64") !== expect.response_body_base64) {
    failures.push(`body ${body.toString("base64").slice(0, 100)} in base64`);
  }
  if (expect.error_code !== undefined && one.http?.method !== "HEAD" && answer.status >= 400) {
    failures.push(...ofError(expect.error_code, answer, body));
  }
  return failures;
}

function ofError(code: string, answer: RawAnswer, body: Buffer): string[] {
  const status = json(body) as
    | { code?: number; message?: unknown; details?: { "@type"?: unknown }[] }
    | undefined;
  if (typeof status !== "object") return [`the error body is no JSON: ${body.toString().slice(0, 100)}`];
  const failures: string[] = [];
  const known = Object.keys(status).every((key) => ["code", "message", "details"].includes(key));
  const typed = (status.details ?? []).every((detail) => typeof detail["@type"] === "string");
  if (!known || !typed)
    failures.push(`the error body is no google.rpc.Status: ${body.toString().slice(0, 200)}`);
  if (status.code !== CODES.indexOf(code)) failures.push(`error code ${status.code}, want ${code}`);
  if (mediaType(headerOf(answer, "content-type") ?? "") !== "application/json")
    failures.push("the error is not application/json");
  return failures;
}

function json(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

function ofCalls(one: Case, calls: readonly RecordedCall[]): string[] {
  const { expect } = one;
  const rpc = expect.rpc ?? one.proto.rpc;
  const messages =
    expect.rpc_request_json !== undefined ? [expect.rpc_request_json] : expect.rpc_requests_json;
  const wanted =
    messages !== undefined || expect.rpc_metadata !== undefined || expect.rpc_deadline_ms !== undefined;
  if (!wanted) {
    return expect.error_code !== undefined && calls.length > 0
      ? [`the upstream was called: ${calls[0]!.rpc}`]
      : [];
  }
  const [call] = calls;
  if (calls.length !== 1 || call?.rpc !== rpc)
    return [`calls: ${calls.map((made) => made.rpc).join(", ") || "none"}, want ${rpc}`];
  return [
    ...(messages ? ofMessages(rpc, call, messages) : []),
    ...ofMetadata(call, expect.rpc_metadata ?? {}),
    ...ofDeadline(call, expect.rpc_deadline_ms),
  ];
}

function ofMessages(rpc: string, call: RecordedCall, wanted: readonly unknown[]): string[] {
  if (call.messages.length !== wanted.length)
    return [`${call.messages.length} request messages, want ${wanted.length}`];
  const type = methodOf(rpc).input;
  return wanted.flatMap((want, i) => {
    const have = fromBinary(type, call.messages[i]!);
    const parsed = fromBinary(type, toBinary(type, fromJson(type, want as JsonValue, { registry })));
    const [a, b] = [toJson(type, have, { registry }), toJson(type, parsed, { registry })];
    return isDeepStrictEqual(a, b)
      ? []
      : [`request ${JSON.stringify(a).slice(0, 300)}, want ${JSON.stringify(b).slice(0, 300)}`];
  });
}

function ofMetadata(call: RecordedCall, wanted: Readonly<Record<string, string | null>>): string[] {
  return Object.entries(wanted).flatMap(([key, want]) => {
    const have = call.metadata[key] ?? null;
    return have === want ? [] : [`metadata ${key}: ${JSON.stringify(have)}, want ${JSON.stringify(want)}`];
  });
}

function ofDeadline(call: RecordedCall, want: Expectation["rpc_deadline_ms"]): string[] {
  if (want === undefined) return [];
  const have = call.timeoutMs;
  const fits = want === null || have === null ? have === want : have >= want.min && have <= want.max;
  return fits ? [] : [`deadline ${have} ms, want ${JSON.stringify(want)}`];
}
