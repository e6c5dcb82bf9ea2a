import type { Case } from "../case.ts";
import { get, post, request } from "./build-case.ts";

const whole = (id: string, body: string, expected: unknown, config?: Case["config"]): Case =>
  post(
    `response-${id}`,
    "Responses/Whole",
    "/r1/whole",
    body,
    { http_status: 200, response_body: expected },
    { ...(config && { config }) },
  );
const watch = (
  id: string,
  query: string,
  accept: string | undefined,
  expect: Case["expect"],
  config?: Case["config"],
): Case =>
  get(`stream-${id}`, "Streams/Watch", `/s1/watch?${query}`, expect, {
    headers: accept ? { accept } : {},
    ...(config && { config }),
  });
const collect = (
  id: string,
  body: Parameters<typeof post>[3],
  expect: Case["expect"],
  type = "application/json",
): Case =>
  post(`stream-${id}`, "Streams/Collect", "/s1/collect", body, expect, { headers: { "content-type": type } });
const NDJSON = "application/x-ndjson";
const SSE = "text/event-stream";
const fails = (code: number, http: number): Case =>
  get(`error-${code}`, "Errors/Fail", `/e1/fail?code=${code}&message=m%20%25%C3%A9`, {
    http_status: http,
    response_body: { code, message: "m %é" },
  });

export const replyCases: Case[] = [
  whole("int64", '{"i64":1,"u64":18446744073709551615,"s64":-1,"fx64":2,"sfx64":-3}', {
    i64: "1",
    u64: "18446744073709551615",
    s64: "-1",
    fx64: "2",
    sfx64: "-3",
  }),
  whole("int32", '{"i32":-1,"u32":4294967295,"s32":-2147483648,"fx32":4294967295,"sfx32":-5}', {
    i32: -1,
    u32: 4294967295,
    s32: -2147483648,
    fx32: 4294967295,
    sfx32: -5,
  }),
  whole("bytes", '{"blob":"-_8"}', { blob: "+/8=" }),
  whole("enum-unknown", '{"color":99,"colors":[99,1]}', { color: 99, colors: [99, "COLOR_RED"] }),
  whole("names", '{"custom_named":"a","display_name":"b"}', { renamedInJson: "a", displayName: "b" }),
  whole(
    "proto-names",
    '{"renamedInJson":"a","displayName":"b","sub":{"longName":"c"}}',
    { custom_named: "a", display_name: "b", sub: { long_name: "c" } },
    { preserve_proto_field_names: true },
  ),
  whole(
    "enum-ints",
    '{"color":"COLOR_RED","colors":["COLOR_NEGATIVE"]}',
    { color: 1, colors: [-1] },
    { enums_as_ints: true },
  ),
  whole("presence", '{"optI32":0,"optText":"","choiceNum":0,"sub":{}}', {
    optI32: 0,
    optText: "",
    choiceNum: 0,
    sub: {},
  }),
  whole("maps", '{"labels":{"":"a","b":""},"subMap":{"-1":{"id":"x"}}}', {
    labels: { "": "a", b: "" },
    subMap: { "-1": { id: "x" } },
  }),
  whole(
    "well-known",
    '{"at":"2021-01-01T00:00:00.120Z","ttl":"-1.5s","mask":"displayName,sub.longName","empty":{},"wBytes":"YQ==","wBool":false}',
    {
      at: "2021-01-01T00:00:00.120Z",
      ttl: "-1.500s",
      mask: "displayName,sub.longName",
      empty: {},
      wBytes: "YQ==",
      wBool: false,
    },
  ),
  whole("struct", '{"struct":{"a":[1.5,null,true,"x",{}]},"value":null,"list":[]}', {
    struct: { a: [1.5, null, true, "x", {}] },
    value: null,
    list: [],
  }),
  whole("escapes", '{"displayName":"\\u2028\\u0000\\"\\\\\\u007f"}', {
    displayName: '\u2028\u0000"\\\u007f',
  }),
  whole("float32", '{"f32":0.1}', { f32: 0.1 }),
  whole("doubles", '{"f64":1e-7}', { f64: 1e-7 }),
  get("response-nothing", "Responses/Nothing", "/r1/nothing", {
    http_status: 200,
    response_body: {},
    response_headers: { "content-type": "application/json" },
  }),
  get("response-wrapped-empty", "Responses/Wrapped", "/r1/wrapped", { http_status: 200, response_body: "" }),
  get("response-field-absent", "Responses/Field", "/r1/field/sub", { http_status: 200, response_body: null }),
  get("response-field-at-absent", "Responses/Field", "/r1/field/at", {
    http_status: 200,
    response_body: null,
  }),
  get("response-field-i64", "Responses/Field", "/r1/field/i64", { http_status: 200, response_body: "0" }),
  get("response-field-color", "Responses/Field", "/r1/field/color", {
    http_status: 200,
    response_body: "COLOR_UNSPECIFIED",
  }),
  get("response-field-empty-string", "Responses/Field", "/r1/field/display_name", {
    http_status: 200,
    response_body: "",
  }),
  post("response-field-labels-empty", "Responses/Field", "/r1/field/labels", "{}", {
    http_status: 200,
    response_body: {},
  }),
  post("response-field-subs", "Responses/Field", "/r1/field/subs", '{"subs":[{"id":"a"},{}]}', {
    http_status: 200,
    response_body: [{ id: "a" }, {}],
  }),
  post("response-as-struct", "Responses/AsStruct", "/r1/struct", '{"struct":{"__proto__":1}}', {
    http_status: 200,
    response_body_text: '{"__proto__":1}',
  }),
  post(
    "response-emit-all",
    "Responses/Whole",
    "/r1/whole",
    '{"subs":[{}]}',
    { http_status: 200, rpc_request_json: { subs: [{}] } },
    { config: { emit_defaults: true } },
  ),

  get("httpbody-empty-type", "Raw/Download", "/h1/download?data=aGk=", {
    http_status: 200,
    response_headers: { "content-type": "application/octet-stream" },
    response_body_text: "hi",
  }),
  get("httpbody-field", "Raw/DownloadField", "/h1/download-field?content_type=a/b&data=aGk=", {
    http_status: 200,
    response_headers: { "content-type": "a/b" },
    response_body_text: "hi",
  }),
  request("httpbody-head", "Raw/Download", "HEAD", "/h1/download?content_type=a/b&data=aGk=", {
    http_status: 200,
    response_headers: { "content-length": "2" },
    response_body_text: "",
  }),
  get(
    "httpbody-stream",
    "Raw/DownloadStream",
    "/h1/download-stream?content_type=text/plain&data=YWJjZGVm&pieces=3",
    { http_status: 200, response_headers: { "content-type": "text/plain" }, response_body_text: "abcdef" },
  ),
  get("httpbody-stream-none", "Raw/DownloadStream", "/h1/download-stream?pieces=0", {
    http_status: 200,
    response_body_text: "",
  }),
  get(
    "httpbody-stream-breaks",
    "Raw/DownloadStream",
    "/h1/download-stream?content_type=text/plain&data=YWJjZGVm&pieces=3&fail_code=13&fail_after=2",
    { http_status: 200, aborted: true, response_body_text: "abcd" },
  ),
  post("httpbody-json-is-raw", "Raw/Echo", "/h1/raw", "{", {
    http_status: 200,
    response_body_text: "{",
    response_headers: { "content-type": "application/json" },
  }),
  post(
    "httpbody-file",
    "Raw/PutFile",
    "/h1/files/7?note=n",
    "data",
    {
      http_status: 200,
      rpc_request_json: { id: "7", note: "n", file: { contentType: "image/png", data: "ZGF0YQ==" } },
    },
    { headers: { "content-type": "image/png" } },
  ),
  post(
    "httpbody-gzip",
    "Raw/Echo",
    "/h1/raw",
    { gzip: "hi" },
    { http_status: 200, rpc_request_json: { contentType: "text/plain", data: "aGk=" } },
    { headers: { "content-type": "text/plain", "content-encoding": "gzip" } },
  ),
  post("httpbody-query", "Raw/Echo", "/h1/raw?data=YQ==", "x", {
    http_status: 400,
    error_code: "INVALID_ARGUMENT",
  }),
  post(
    "httpbody-upload",
    "Raw/UploadStream",
    "/h1/upload-stream/u1",
    { before: "", text: "a", times: 6_000_000 },
    { http_status: 200, response_body: { id: "u1", contentType: "text/plain", size: "6000000" } },
    { headers: { "content-type": "text/plain" } },
  ),

  watch("empty", "count=0", undefined, { http_status: 200, response_body: [] }),
  watch("ndjson", "count=2&prefix=n", NDJSON, {
    http_status: 200,
    response_headers: { "content-type": NDJSON },
    response_body_text: '{"text":"n1","num":"1"}\n{"text":"n2","num":"2"}\n',
  }),
  watch("ndjson-empty", "count=0", NDJSON, { http_status: 200, response_body_text: "" }),
  watch("sse", "count=2&prefix=n", SSE, {
    http_status: 200,
    response_headers: { "content-type": SSE },
    response_body_text: 'data: {"text":"n1","num":"1"}\n\ndata: {"text":"n2","num":"2"}\n\n',
  }),
  watch("any", "count=1", "*/*", {
    http_status: 200,
    response_headers: { "content-type": "application/json" },
  }),
  watch("prefer-sse", "count=1", "application/json;q=0.5, text/event-stream", {
    http_status: 200,
    response_headers: { "content-type": SSE },
  }),
  watch("prefer-exact", "count=1", "*/*;q=0.8, application/x-ndjson", {
    http_status: 200,
    response_headers: { "content-type": NDJSON },
  }),
  watch("fails-first", "fail_code=5", undefined, {
    http_status: 404,
    response_body: { code: 5, message: "failed" },
  }),
  watch("fails-first-ndjson", "fail_code=7", NDJSON, {
    http_status: 403,
    response_headers: { "content-type": "application/json" },
    response_body: { code: 7, message: "failed" },
  }),
  watch("fails-later", "count=3&prefix=n&fail_code=5&fail_after=1", undefined, {
    http_status: 200,
    aborted: true,
    response_body_text: '[{"text":"n1","num":"1"}',
  }),
  watch("fails-later-ndjson", "count=3&prefix=n&fail_code=5&fail_after=1", NDJSON, {
    http_status: 200,
    response_body_text: '{"text":"n1","num":"1"}\n{"error":{"code":5,"message":"failed"}}\n',
  }),
  watch("fails-later-sse", "count=3&prefix=n&fail_code=5&fail_after=1", SSE, {
    http_status: 200,
    response_body_text:
      'data: {"text":"n1","num":"1"}\n\nevent: error\ndata: {"code":5,"message":"failed"}\n\n',
  }),
  watch("fails-at-end", "count=1&prefix=n&fail_code=8&fail_after=1", SSE, {
    http_status: 200,
    response_body_text:
      'data: {"text":"n1","num":"1"}\n\nevent: error\ndata: {"code":8,"message":"failed"}\n\n',
  }),
  watch("many", "count=20000&prefix=n", NDJSON, { http_status: 200 }),
  watch("bad-query", "count=x", SSE, { http_status: 400, error_code: "INVALID_ARGUMENT" }),
  watch(
    "envelope-error",
    "count=2&prefix=n&fail_code=5&fail_after=1",
    NDJSON,
    {
      http_status: 200,
      response_body_text: '{"result":{"text":"n1","num":"1"}}\n{"error":{"code":5,"message":"failed"}}\n',
    },
    { stream_envelope: "result" },
  ),
  get(
    "stream-field-ndjson",
    "Streams/WatchField",
    "/s1/watch-field?count=2&prefix=n",
    { http_status: 200, response_body_text: '"n1"\n"n2"\n' },
    { headers: { accept: NDJSON } },
  ),

  collect("collect", ' [ {"displayName":"a,]}"} , {"displayName":"b\\"["} ] ', {
    http_status: 200,
    rpc_requests_json: [{ displayName: "a,]}" }, { displayName: 'b"[' }],
    response_body: { count: 2, texts: ["a,]}", 'b"['] },
  }),
  collect(
    "collect-ndjson",
    '{"displayName":"a"}\r\n\n  \n{"displayName":"b"}',
    { http_status: 200, rpc_requests_json: [{ displayName: "a" }, { displayName: "b" }] },
    NDJSON,
  ),
  collect("collect-ndjson-bad", '{"displayName":"a"}\n{', { http_status: 400 }, NDJSON),
  collect(
    "collect-ndjson-two-on-line",
    '{"displayName":"a"}{"displayName":"b"}',
    { http_status: 400 },
    NDJSON,
  ),
  collect("collect-none", "[]", { http_status: 200, rpc_requests_json: [] }),
  collect("collect-cut", '[{"displayName":"a"}', { http_status: 400 }),
  collect("collect-comma-end", '[{"displayName":"a"},]', { http_status: 400 }),
  collect("collect-comma-start", '[,{"displayName":"a"}]', { http_status: 400 }),
  collect("collect-null", "[null]", { http_status: 400 }),
  collect("collect-mismatch", '[{"tags":["a"}]', { http_status: 400 }),
  collect("collect-close-brace", "[}]", { http_status: 400 }),
  collect("collect-no-comma", '[{"displayName":"a"} {"displayName":"b"}]', { http_status: 400 }),
  collect("collect-nested-array", "[[]]", { http_status: 400 }),
  collect(
    "collect-depth",
    { before: '[{"list":', open: "[", times: 200, core: "", close: "]", after: "}]" },
    { http_status: 400 },
  ),
  collect(
    "collect-large-message",
    { before: '[{"displayName":"', text: "a", times: 5_000_000, after: '"}]' },
    { http_status: 413 },
  ),
  collect(
    "collect-large-total",
    {
      before: "[{}",
      text: ',{"displayName":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}',
      times: 60_000,
      after: "]",
    },
    { http_status: 200 },
  ),
  collect("collect-text", "[]", { http_status: 415 }, "text/plain"),
  post("stream-collect-bindings", "Streams/Collect", "/s1/collect/p1?i32=3", '[{"text":"a"},{"text":"b"}]', {
    http_status: 200,
    rpc_requests_json: [{ parent: "p1", i32: 3, sub: { text: "a" } }, { sub: { text: "b" } }],
  }),
  post(
    "stream-collect-gzip",
    "Streams/Collect",
    "/s1/collect",
    { gzip: '[{"displayName":"a"}]' },
    { http_status: 200, rpc_requests_json: [{ displayName: "a" }] },
    { headers: { "content-type": "application/json", "content-encoding": "gzip" } },
  ),
  post(
    "stream-collect-bad-gzip",
    "Streams/Collect",
    "/s1/collect",
    "[]",
    { http_status: 400 },
    { headers: { "content-type": "application/json", "content-encoding": "gzip" } },
  ),
  post(
    "stream-collect-accept",
    "Streams/Collect",
    "/s1/collect",
    "[]",
    { http_status: 406 },
    { headers: { accept: "text/html" } },
  ),
  post("stream-collect-query-star", "Streams/Collect", "/s1/collect?i32=1", "[]", { http_status: 400 }),

  ...(
    [
      [1, 499],
      [2, 500],
      [4, 504],
      [6, 409],
      [8, 429],
      [9, 400],
      [11, 400],
      [12, 501],
      [14, 503],
      [15, 500],
      [16, 401],
    ] as const
  ).map(([code, http]) => fails(code, http)),
  get("error-challenge", "Errors/Fail", "/e1/fail?code=16", {
    http_status: 401,
    response_headers: { "www-authenticate": { contains: "Bearer" } },
  }),
  get("error-details", "Errors/Fail", "/e1/fail?code=3&message=m&details=true", {
    http_status: 400,
    response_body: {
      code: 3,
      message: "m",
      details: [
        { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "TEST", domain: "bars" },
        {
          "@type": "type.googleapis.com/google.rpc.BadRequest",
          fieldViolations: [{ field: "id", description: "bad" }],
        },
      ],
    },
  }),
  get("error-unknown-detail", "Errors/Fail", "/e1/fail?code=3&message=m&unknown_detail=true", {
    http_status: 400,
    error_code: "INVALID_ARGUMENT",
    rpc_request_json: { code: 3, message: "m", unknownDetail: true },
  }),
  get("error-message-newline", "Errors/Fail", "/e1/fail?code=3&message=a%0Ab", {
    http_status: 400,
    response_body: { code: 3, message: "a\nb" },
  }),
  get("error-negative-code", "Errors/Fail", "/e1/fail?code=-1&message=m", {
    http_status: 500,
    response_body: { code: 2, message: "m" },
  }),
];
