/** Random requests for the routes of a contract: whole ones, and ones with damage. */
import { type DescField, type Message, type Registry, toJson } from "@bufbuild/protobuf";
import fc, { type Arbitrary } from "fast-check";
import type { Route } from "#edge/transcode/route.ts";
import { messageArbitrary } from "./message-arbitrary.ts";

export interface FuzzRequest {
  /** Bytes of a whole HTTP/1.1 request. */
  readonly bytes: Buffer;
  /** What the upstream must get and, since it echoes, the answer must be; undefined when anything may happen but a crash. */
  readonly message: Message | undefined;
}

const close = ["host: fuzz", "connection: close"];

/** A message as the whole body of a POST. */
export function bodyRequest(route: Route, registry: Registry): Arbitrary<FuzzRequest> {
  return messageArbitrary(route.method.input).map((message) => {
    const body = JSON.stringify(toJson(route.method.input, message, { registry }));
    return { message, bytes: whole("POST", route.template.source, jsonHeaders, Buffer.from(body)) };
  });
}

/** A message as the query of a GET: what a query can say of it. */
export function queryRequest(route: Route, registry: Registry): Arbitrary<FuzzRequest> {
  return messageArbitrary(route.method.input, 0).map((message) => {
    const json = toJson(route.method.input, message, { registry }) as Record<string, unknown>;
    const pairs = route.method.input.fields.flatMap((field) => queryPairs(field, json[field.jsonName]));
    const target = `${route.template.source}?${new URLSearchParams(pairs)}`;
    return {
      message: pairs.length === countOf(json) ? message : undefined,
      bytes: whole("GET", target, [], undefined),
    };
  });
}

function queryPairs(field: DescField, value: unknown): [string, string][] {
  if (value === undefined || field.fieldKind === "map") return [];
  return [value].flat().map((one) => [field.jsonName, String(one)]);
}

/** Values that a query would have to carry; a map makes the number unreachable. */
function countOf(json: Record<string, unknown>): number {
  return Object.values(json).reduce<number>((sum, value) => {
    if (Array.isArray(value)) return sum + value.length;
    return sum + (typeof value === "object" ? Number.POSITIVE_INFINITY : 1);
  }, 0);
}

const word = fc.oneof(
  fc.string({ unit: "binary-ascii", maxLength: 20 }),
  fc.constantFrom(
    "%",
    "%2",
    "%2F",
    "%ff",
    "%00",
    "..",
    ":",
    "::",
    "**",
    "{id}",
    "\u00e9",
    "+",
    "a=b&c",
    "[0]",
  ),
);
const headerLine = fc.oneof(
  fc.constantFrom(
    "content-length: 5",
    "content-length: +4",
    "content-length: 99999999999999999999",
    "transfer-encoding: chunked",
    "transfer-encoding: gzip, chunked",
    "content-encoding: gzip",
    "content-encoding: br",
    "content-type: application/grpc-web+proto",
    "content-type: application/connect+json",
    "content-type: application/json; charset=utf-16",
    "content-type: text/plain",
    "accept: text/event-stream",
    "accept: application/x-ndjson;q=0",
    "accept: */*;q=2",
    "expect: 100-continue",
    "expect: 200-ok",
    "grpc-timeout: 1n",
    "grpc-timeout: 99999999H",
    "x-server-timeout: -1",
    "if-none-match: *",
    "key-bin: !!",
    "host: other",
    "authorization: Bearer a.b.c",
    "connection: upgrade",
    "upgrade: h2c",
  ),
  fc.tuple(word, word).map(([name, value]) => `${name}: ${value}`),
);
const method = fc.constantFrom(
  "GET",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "HEAD",
  "OPTIONS",
  "PURGE",
  "TRACE",
  "get",
);
const jsonHeaders = ["content-type: application/json"];
const brokenJson = fc.constantFrom(
  "{",
  "[",
  "[{}",
  '{"a":',
  '{"name":"\ud800"}',
  '{"name":"a","name":"b"}',
  '{"i32":1e400}',
  '{"i32":1.5}',
  "null",
  "nul",
  '{"__proto__":{"id":"x"}}',
  "[".repeat(300),
  '{"self":'.repeat(120),
  "\ufeff{}",
  "{}{}",
  "1",
  '"a"',
  '{"struct":{"a":[null,true,1e308]}}',
  '{"at":"9999-12-31T23:59:59.999999999Z"}',
  '{"ttl":"315576000001s"}',
);

/** A request for one of the routes with made-up segments, queries, headers and body. */
export function strangeRequest(routes: readonly Route[]): Arbitrary<FuzzRequest> {
  return fc
    .record({
      route: fc.constantFrom(...routes),
      own: fc.boolean(),
      method,
      segment: word,
      query: fc.oneof(
        fc.constant(""),
        word.map((text) => `?${text}`),
        fc.tuple(word, word).map((p) => `?${p.join("=")}`),
      ),
      headers: fc.array(headerLine, { maxLength: 4 }),
      body: fc.option(fc.oneof(brokenJson, fc.json({ maxDepth: 4 }), fc.string({ unit: "binary" })), {
        nil: undefined,
      }),
    })
    .map(({ route, own, method: other, segment, query, headers, body }) => {
      const path = route.template.source.replace(/\{[^}]*\}|\*\*?/g, () => segment.replaceAll(" ", "%20"));
      const verb = own && route.httpMethod !== "*" ? route.httpMethod : other;
      const type =
        headers.some((line) => line.startsWith("content-type")) || body === undefined ? [] : jsonHeaders;
      const bytes = body === undefined ? undefined : Buffer.from(body);
      return { message: undefined, bytes: whole(verb, path + query, [...type, ...headers], bytes) };
    });
}

/** Bytes changed, cut out or put in, anywhere in a request. */
export function damaged(request: Arbitrary<FuzzRequest>): Arbitrary<FuzzRequest> {
  const change = fc.record({ at: fc.nat(4_000), cut: fc.nat(8), put: fc.uint8Array({ maxLength: 4 }) });
  return fc.tuple(request, fc.array(change, { minLength: 1, maxLength: 3 })).map(([{ bytes }, changes]) => {
    let damagedBytes = bytes;
    for (const { at, cut, put } of changes) {
      const from = at % (damagedBytes.length + 1);
      damagedBytes = Buffer.concat([damagedBytes.subarray(0, from), put, damagedBytes.subarray(from + cut)]);
    }
    return { bytes: damagedBytes, message: undefined };
  });
}

function whole(verb: string, target: string, headers: string[], body: Buffer | undefined): Buffer {
  const framed = headers.some((line) => /^(content-length|transfer-encoding)/.test(line));
  const length = body && !framed ? [`content-length: ${body.length}`] : [];
  const head = [`${verb} ${target} HTTP/1.1`, ...close, ...headers, ...length, "", ""].join("\r\n");
  return Buffer.concat([Buffer.from(head), body ?? Buffer.alloc(0)]);
}
