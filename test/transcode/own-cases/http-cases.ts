import { deflateSync, gzipSync } from "node:zlib";
import type { Case } from "../case.ts";
import { get, gets, post, refused, request } from "./build-case.ts";

const base64 = (bytes: Buffer) => ({ base64: bytes.toString("base64") });
const gzipped = { "content-type": "application/json", "content-encoding": "gzip" };
const unsupported = {
  http_status: 415,
  response_headers: { "accept-post": { contains: "application/json" } },
};
const typed = (id: string, type: string | string[], expect: Case["expect"]): Case =>
  post(`media-${id}`, "Bodies/Star", "/b1/star", '{"i32":1}', expect, { headers: { "content-type": type } });
const accept = (id: string, value: string, expect: Case["expect"]): Case =>
  get(`accept-${id}`, "Paths/GetThing", "/p1/things/1", expect, { headers: { accept: value } });
const ok = gets({ id: "1" });
const notAcceptable = { http_status: 406, error_code: "INVALID_ARGUMENT" };
const chunked = { "content-type": "application/json", "transfer-encoding": "chunked" };
const big = '{"displayName":"'.concat("a".repeat(4000), '"}');
const tagged = (id: string, value: string, status: number): Case =>
  get(
    `conditional-${id}`,
    "Meta/Tagged",
    "/m1/tagged/5",
    { http_status: status },
    { headers: { "if-none-match": value } },
  );
const timeout = (id: string, headers: Record<string, string | string[]>, expect: Case["expect"]): Case =>
  get(`timeout-${id}`, "Meta/Report", "/m1/report", expect, { headers });

export const httpCases: Case[] = [
  typed("none-empty", "application/json ; charset=UTF-8", gets({ i32: 1 })),
  typed("charset-quoted", 'application/json;charset="utf-8"', gets({ i32: 1 })),
  typed("charset-other", "application/json; charset=utf-16", unsupported),
  typed("upper", "APPLICATION/JSON", gets({ i32: 1 })),
  typed("form", "application/x-www-form-urlencoded", unsupported),
  typed("text-json", "text/json", unsupported),
  typed("xml", "application/xml", unsupported),
  typed("garbage", "garbage", unsupported),
  typed("jsonp", "application/jsonp", unsupported),
  typed("twice", ["application/json", "application/json"], refused),
  post("media-absent", "Bodies/Star", "/b1/star", '{"i32":1}', gets({ i32: 1 }), { headers: {} }),

  post(
    "compression-deflate",
    "Bodies/Star",
    "/b1/star",
    base64(deflateSync("{}")),
    { http_status: 415, response_headers: { "accept-encoding": { contains: "gzip" } } },
    { headers: { ...gzipped, "content-encoding": "deflate" } },
  ),
  post(
    "compression-br",
    "Bodies/Star",
    "/b1/star",
    "{}",
    { http_status: 415 },
    { headers: { ...gzipped, "content-encoding": "br" } },
  ),
  post(
    "compression-twice",
    "Bodies/Star",
    "/b1/star",
    "{}",
    { http_status: 415 },
    { headers: { ...gzipped, "content-encoding": "gzip, gzip" } },
  ),
  post("compression-identity", "Bodies/Star", "/b1/star", '{"i32":1}', gets({ i32: 1 }), {
    headers: { ...gzipped, "content-encoding": "identity" },
  }),
  post("compression-x-gzip", "Bodies/Star", "/b1/star", { gzip: '{"i32":1}' }, gets({ i32: 1 }), {
    headers: { ...gzipped, "content-encoding": "x-gzip" },
  }),
  post("compression-upper", "Bodies/Star", "/b1/star", { gzip: '{"i32":1}' }, gets({ i32: 1 }), {
    headers: { ...gzipped, "content-encoding": "GZIP" },
  }),
  post("compression-not-gzip", "Bodies/Star", "/b1/star", '{"i32":1}', refused, { headers: gzipped }),
  post("compression-cut", "Bodies/Star", "/b1/star", base64(gzipSync('{"i32":1}').subarray(0, 20)), refused, {
    headers: gzipped,
  }),
  post("compression-bad-crc", "Bodies/Star", "/b1/star", base64(brokenCrc()), refused, { headers: gzipped }),
  post(
    "compression-trailing",
    "Bodies/Star",
    "/b1/star",
    base64(Buffer.concat([gzipSync("{}"), Buffer.from("garbage")])),
    refused,
    { headers: gzipped },
  ),
  post("compression-empty", "Bodies/Star", "/b1/star", "", gets({}), { headers: gzipped }),
  post(
    "compression-bomb",
    "Bodies/Star",
    "/b1/star",
    { gzip_zeros: 100_000_000 },
    { http_status: 413 },
    { headers: gzipped },
  ),
  post(
    "compression-response",
    "Responses/Whole",
    "/r1/whole",
    big,
    {
      http_status: 200,
      response_headers: { "content-encoding": "gzip", vary: { contains: "accept-encoding" } },
    },
    { headers: { "content-type": "application/json", "accept-encoding": "gzip, br" } },
  ),
  post(
    "compression-response-any",
    "Responses/Whole",
    "/r1/whole",
    big,
    { http_status: 200, response_headers: { "content-encoding": "gzip" } },
    { headers: { "content-type": "application/json", "accept-encoding": "*" } },
  ),
  post(
    "compression-response-any-but",
    "Responses/Whole",
    "/r1/whole",
    big,
    { http_status: 200, response_headers: { "content-encoding": null } },
    { headers: { "content-type": "application/json", "accept-encoding": "*, gzip;q=0" } },
  ),
  post("compression-response-none", "Responses/Whole", "/r1/whole", big, {
    http_status: 200,
    response_headers: { "content-encoding": null, vary: { contains: "accept-encoding" } },
  }),
  get(
    "compression-response-small",
    "Paths/GetThing",
    "/p1/things/1",
    { http_status: 200, response_headers: { "content-encoding": null } },
    { headers: { "accept-encoding": "gzip" } },
  ),

  accept("exact", "application/json", ok),
  accept("parameter", "application/json;charset=utf-8", ok),
  accept("subtype-any", "application/*", ok),
  accept("upper", "Application/JSON", ok),
  accept("html", "text/html", notAcceptable),
  accept("q0", "application/json;q=0", notAcceptable),
  accept("q0-specific", "*/*, application/json;q=0", notAcceptable),
  accept("any-q0", "*/*;q=0", notAcceptable),
  accept("empty", "", ok),
  accept("quoted", 'text/html;p="a,b", application/json', ok),
  accept("bad-q", "text/html;q=5", ok),
  accept("ndjson-unary", "application/x-ndjson", notAcceptable),
  get(
    "accept-httpbody",
    "Raw/Download",
    "/h1/download?content_type=text/csv&data=YQ==",
    { http_status: 200, response_body_text: "a" },
    { headers: { accept: "image/png" } },
  ),
  get(
    "accept-404",
    "Paths/GetThing",
    "/nope",
    { http_status: 404, error_code: "NOT_FOUND" },
    { headers: { accept: "text/html" } },
  ),

  get("smuggle-host-path", "Paths/GetThing", "/p1/things/1", refused, { headers: { host: "a/b" } }),
  // RFC 9112 6.1.
  post(
    "te-gzip",
    "Bodies/Star",
    "/b1/star",
    "2\r\n{}\r\n0\r\n\r\n",
    { http_status: 501, error_code: "UNIMPLEMENTED" },
    { headers: { "content-type": "application/json", "transfer-encoding": "gzip, chunked" } },
  ),
  get(
    "smuggle-two-hosts",
    "Paths/GetThing",
    "/p1/things/1",
    { http_status: 400 },
    { headers: { host: ["a", "b"] } },
  ),
  get("smuggle-two-authorizations", "Paths/GetThing", "/p1/things/1", refused, {
    headers: { authorization: ["Bearer a", "Bearer b"] },
  }),
  post(
    "smuggle-cl-te",
    "Bodies/Star",
    "/b1/star",
    "2\r\n{}\r\n0\r\n\r\n",
    { http_status: 400 },
    { headers: { ...chunked, "content-length": "12" } },
  ),
  post(
    "smuggle-two-lengths",
    "Bodies/Star",
    "/b1/star",
    "{}",
    { http_status: 400 },
    { headers: { "content-type": "application/json", "content-length": ["2", "3"] } },
  ),
  post(
    "smuggle-bad-length",
    "Bodies/Star",
    "/b1/star",
    "{}",
    { http_status: 400 },
    { headers: { "content-type": "application/json", "content-length": "+2" } },
  ),
  post(
    "smuggle-te-unknown",
    "Bodies/Star",
    "/b1/star",
    "{}",
    { http_status: 400 },
    { headers: { "content-type": "application/json", "transfer-encoding": "foo" } },
  ),
  post(
    "smuggle-te-chunked-twice",
    "Bodies/Star",
    "/b1/star",
    "2\r\n{}\r\n0\r\n\r\n",
    { http_status: 400 },
    { headers: { "content-type": "application/json", "transfer-encoding": "chunked, identity" } },
  ),
  post("chunked", "Bodies/Star", "/b1/star", '4\r\n{"i3\r\n5;x=y\r\n2":1}\r\n0\r\n\r\n', gets({ i32: 1 }), {
    headers: chunked,
  }),
  post(
    "chunked-bad-size",
    "Bodies/Star",
    "/b1/star",
    "zz\r\n{}\r\n0\r\n\r\n",
    { http_status: 400 },
    { headers: chunked },
  ),
  get(
    "header-name-space",
    "Paths/GetThing",
    "/p1/things/1",
    { http_status: 400 },
    { headers: { "x a": "b" } },
  ),
  get(
    "header-too-large",
    "Paths/GetThing",
    "/p1/things/1",
    { http_status: 431 },
    { headers: { "x-big": "a".repeat(20_000) } },
  ),
  get(
    "header-far-too-large",
    "Paths/GetThing",
    "/p1/things/1",
    { http_status: 431 },
    { headers: { "x-big": "a".repeat(100_000) } },
  ),

  tagged("star", "*", 304),
  tagged("weak", 'W/"v1-5"', 304),
  tagged("other", '"v1-6"', 200),
  tagged("unquoted", "v1-5", 200),
  tagged("garbage", '"v1-5" "x"', 200),
  tagged("comma-inside", '"a,"v1-5""', 200),
  request(
    "conditional-head",
    "Meta/Tagged",
    "HEAD",
    "/m1/tagged/5",
    { http_status: 304, response_body_text: "" },
    { headers: { "if-none-match": '"v1-5"' } },
  ),
  request(
    "conditional-put",
    "Meta/Tagged",
    "PUT",
    "/m1/tagged/5",
    { http_status: 200 },
    { headers: { "content-type": "application/json", "if-none-match": '"v1-5"' }, body: "{}" },
  ),
  get(
    "conditional-no-etag",
    "Paths/GetThing",
    "/p1/things/1",
    { http_status: 200, response_headers: { etag: null } },
    { headers: { "if-none-match": "*" } },
  ),

  timeout(
    "server",
    { "x-server-timeout": "2.5" },
    { http_status: 200, rpc_deadline_ms: { min: 2000, max: 2500 } },
  ),
  timeout("none", {}, { http_status: 200, rpc_deadline_ms: null }),
  timeout(
    "minutes",
    { "grpc-timeout": "1M" },
    { http_status: 200, rpc_deadline_ms: { min: 59_000, max: 60_000 } },
  ),
  timeout("zero", { "grpc-timeout": "0S" }, { http_status: 504, error_code: "DEADLINE_EXCEEDED" }),
  timeout("lower-unit", { "grpc-timeout": "5s" }, refused),
  timeout("space", { "grpc-timeout": "5 S" }, refused),
  timeout("fraction", { "grpc-timeout": "1.5S" }, refused),
  timeout("empty", { "grpc-timeout": "" }, refused),
  timeout("twice", { "grpc-timeout": ["1S", "2S"] }, refused),
  timeout("server-nan", { "x-server-timeout": "NaN" }, refused),
  timeout("server-infinite", { "x-server-timeout": "Infinity" }, refused),
  timeout("server-exponent", { "x-server-timeout": "1e3" }, refused),
  timeout("server-empty", { "x-server-timeout": "" }, refused),

  get(
    "metadata-hop-by-hop",
    "Meta/Report",
    "/m1/report",
    {
      http_status: 200,
      rpc_metadata: {
        connection: null,
        "keep-alive": null,
        "x-hop": null,
        "x-end": "1",
        upgrade: null,
        "proxy-authorization": null,
        host: null,
      },
    },
    {
      headers: {
        connection: "close, X-Hop",
        "keep-alive": "5",
        "x-hop": "1",
        "x-end": "1",
        "proxy-authorization": "x",
      },
    },
  ),
  get(
    "metadata-twice",
    "Meta/Report",
    "/m1/report",
    { http_status: 200, rpc_metadata: { "x-two": "a, b" } },
    { headers: { "x-two": ["a", "b"] } },
  ),
  get(
    "metadata-single-valued-twice",
    "Meta/Report",
    "/m1/report",
    { http_status: 200, rpc_metadata: { "user-agent": "a, b", "if-match": '"x", "y"' } },
    { headers: { "user-agent": ["a", "b"], "if-match": ['"x"', '"y"'] } },
  ),
  get(
    "conditional-two-fields",
    "Meta/Tagged",
    "/m1/tagged/5",
    { http_status: 304 },
    { headers: { "if-none-match": ['"x"', '"v1-5"'] } },
  ),
  get(
    "metadata-authorization",
    "Meta/Report",
    "/m1/report",
    { http_status: 200, rpc_metadata: { authorization: "Bearer x", cookie: "a=b" } },
    { headers: { authorization: "Bearer x", cookie: "a=b" } },
  ),
  get(
    "metadata-bad-binary",
    "Meta/Report",
    "/m1/report",
    { http_status: 200, rpc_metadata: { "x-bad-bin": null } },
    { headers: { "x-bad-bin": "*" } },
  ),
  get(
    "metadata-bad-name",
    "Meta/Report",
    "/m1/report",
    { http_status: 200, rpc_metadata: { "x!y": null, "x-y": "1" } },
    { headers: { "x!y": "1", "x-y": "1" } },
  ),
  post("metadata-trailer", "Meta/Report", "/m1/report", '{"setTrailer":{"x-late":"v"}}', {
    http_status: 200,
    response_headers: { "trailer-x-late": "v", "x-late": null },
  }),
  post("metadata-response-hop", "Meta/Report", "/m1/report", '{"setHeader":{"x-a":"1","grpc-foo":"2"}}', {
    http_status: 200,
    response_headers: { "x-a": "1", "grpc-foo": null },
  }),
  post(
    "metadata-code",
    "Meta/Report",
    "/m1/report",
    '{"setHeader":{"x-http-code":"201"}}',
    { http_status: 201, response_headers: { "x-http-code": null } },
    { config: { http_code_metadata: "x-http-code" } },
  ),
  post(
    "metadata-code-bad",
    "Meta/Report",
    "/m1/report",
    '{"setHeader":{"x-http-code":"99"}}',
    { http_status: 200 },
    { config: { http_code_metadata: "x-http-code" } },
  ),
  post(
    "metadata-fail",
    "Meta/Report",
    "/m1/report",
    '{"id":"fail","setHeader":{"x-a":"1"},"setTrailer":{"x-b":"2"}}',
    {
      http_status: 409,
      response_body: { code: 10, message: "aborted as asked" },
      response_headers: { "x-a": "1", "trailer-x-b": "2" },
    },
  ),
  post("connect-error", "Paths/Unbound", "/bars.transcode.v1.Paths/Unbound", "[]", { http_status: 400 }),
  post("connect-hidden", "Paths/Unbound", "/bars.transcode.v1.Paths/Nope", "{}", {
    http_status: 404,
    error_code: "NOT_FOUND",
  }),
];

function brokenCrc(): Buffer {
  const bytes = gzipSync('{"i32":1}');
  bytes[bytes.length - 5]! ^= 0xff;
  return bytes;
}
