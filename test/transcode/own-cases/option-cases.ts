import type { Case } from "../case.ts";
import { get, gets, post, refused, request } from "./build-case.ts";

const search = (id: string, query: string, expect: Case["expect"], config: Case["config"]): Case =>
  get(`option-${id}`, "Queries/Search", `/q1/all?${query}`, expect, { config });
const star = (id: string, body: string, expect: Case["expect"], config: Case["config"]): Case =>
  post(`option-${id}`, "Bodies/Star", "/b1/star", body, expect, { config });
const whole = (id: string, body: string, reply: unknown, config: Case["config"]): Case =>
  post(
    `option-${id}`,
    "Responses/Whole",
    "/r1/whole",
    body,
    { http_status: 200, response_body: reply },
    { config },
  );

const envoyPaths = { url_unescape: "all_except_reserved" };
const allPaths = { url_unescape: "all" };
const brackets = { query_map_brackets: true };
const plusKept = { query_plus_is_space: false };
const lenientQuery = { unknown_query: "ignore" };
const lenientJson = { unknown_json: "ignore" };
const strict = { reject_collisions: true };
const masks = { patch_field_mask: true };
const protoNames = { preserve_proto_field_names: true };
const ints = { enums_as_ints: true };
const defaults = { emit_defaults: true };
const envelope = { stream_envelope: "result" };
const httpCode = { http_code_metadata: "x-http-code" };

/** Every option, where it applies and where it must not. */
export const optionCases: Case[] = [
  get(
    "option-envoy-reserved",
    "Paths/GetFile",
    "/p1/files/%2F%3a%3F%23%5B%5D%40",
    gets({ name: "%2F%3a%3F%23%5B%5D%40" }),
    { config: envoyPaths },
  ),
  get(
    "option-envoy-sub-delims",
    "Paths/GetFile",
    "/p1/files/%21%24%26%27%28%29%2A%2B%2C%3B%3D",
    gets({ name: "%21%24%26%27%28%29%2A%2B%2C%3B%3D" }),
    { config: envoyPaths },
  ),
  get(
    "option-envoy-unreserved",
    "Paths/GetFile",
    "/p1/files/%41%2D%2E%5F%7E%25%C3%A9",
    gets({ name: "A-._~%é" }),
    { config: envoyPaths },
  ),
  get("option-envoy-one-segment", "Paths/GetThing", "/p1/things/%2F%3A%40", gets({ id: "/:@" }), {
    config: envoyPaths,
  }),
  get("option-envoy-bad-utf8", "Paths/GetFile", "/p1/files/%FF", refused, { config: envoyPaths }),
  get(
    "option-all-slash",
    "Paths/GetBook",
    "/p1/shelves/a%2fb/books/c",
    gets({ name: "shelves/a/b/books/c" }),
    { config: allPaths },
  ),
  get("option-all-once", "Paths/GetFile", "/p1/files/%252F", gets({ name: "%2F" }), { config: allPaths }),

  search(
    "brackets-both-names",
    "labels[a]=1&labels%5Bb%5D=2&i32=3",
    gets({ labels: { a: "1", b: "2" }, i32: 3 }),
    brackets,
  ),
  search("brackets-dot-in-key", "labels[a.b]=1", gets({ labels: { "a.b": "1" } }), brackets),
  search("brackets-encoded-key", "labels[%C3%A9%26]=1", gets({ labels: { "é&": "1" } }), brackets),
  search("brackets-plus-in-key", "labels[a+b]=c+d", gets({ labels: { "a b": "c d" } }), brackets),
  search(
    "brackets-proto-key",
    "labels[__proto__]=1",
    gets({ labels: JSON.parse('{"__proto__":"1"}') }),
    brackets,
  ),
  search("brackets-no-value", "labels[a]", gets({ labels: { a: "" } }), brackets),
  search("brackets-nested", "self.labels[a]=1", gets({ self: { labels: { a: "1" } } }), brackets),
  search("brackets-twice-nested", "labels[a][b]=1", refused, brackets),
  search("brackets-unclosed", "labels[a=1", refused, brackets),
  search("brackets-unopened", "labelsa]=1", refused, brackets),
  search("brackets-after", "labels[a]b=1", refused, brackets),
  search("brackets-on-list", "tags[0]=1", refused, brackets),
  search("brackets-on-scalar", "i32[0]=1", refused, brackets),
  search("brackets-unknown", "nope[a]=1", refused, brackets),
  search("brackets-same-key-encoded", "labels[a]=1&labels[%61]=2", refused, brackets),

  search("plus-kept-in-bytes", "blob=+/8=", gets({ blob: "+/8=" }), plusKept),
  search("plus-kept-escape", "display_name=a%20b%2Bc+d", gets({ displayName: "a b+c+d" }), plusKept),
  search(
    "plus-kept-timestamp",
    "at=2021-01-01T05:30:00+05:30",
    gets({ at: "2021-01-01T00:00:00Z" }),
    plusKept,
  ),
  search("plus-kept-number", "i32=+1", refused, plusKept),

  search("lenient-query-nested-unknown", "sub.nope=1&sub.id=a", gets({ sub: { id: "a" } }), lenientQuery),
  search("lenient-query-only-unknown", "nope=1", gets({}), lenientQuery),
  search("lenient-query-empty-name", "=1", gets({}), lenientQuery),
  search("lenient-query-case", "DisplayName=x", gets({}), lenientQuery),
  search("lenient-query-bad-value", "color=PURPLE", refused, lenientQuery),
  search("lenient-query-bad-utf8", "nope=%FF", refused, lenientQuery),
  get(
    "option-lenient-query-path-bound",
    "Queries/GetItem",
    "/q1/items/5?id=6&i32=1",
    gets({ id: "5", i32: 1 }),
    { config: lenientQuery },
  ),
  get(
    "option-lenient-query-path-bound-nested",
    "Queries/GetNested",
    "/q1/nested/5?sub.id=6&sub.text=t",
    gets({ sub: { id: "5", text: "t" } }),
    { config: lenientQuery },
  ),
  post("option-lenient-query-json", "Bodies/Star", "/b1/star?nope=1", '{"nope":1}', refused, {
    config: lenientQuery,
  }),

  search("ignored-query-twice", "key=1&key=2&i32=1", gets({ i32: 1 }), { ignored_query: ["key"] }),
  search("ignored-query-field", "i32=x", gets({}), { ignored_query: ["i32"] }),
  search("ignored-query-encoded", "k%65y=1", gets({}), { ignored_query: ["key"] }),
  search("ignored-query-exact", "Key=1", refused, { ignored_query: ["key"] }),
  post("option-ignored-query-star", "Bodies/Star", "/b1/star?key=1", '{"i32":1}', gets({ i32: 1 }), {
    config: { ignored_query: ["key"] },
  }),

  star(
    "lenient-json-nested",
    '{"sub":{"nope":1,"id":"a"},"subs":[{"nope":{}}]}',
    gets({ sub: { id: "a" }, subs: [{}] }),
    lenientJson,
  ),
  star("lenient-json-syntax", '{"nope":{]}', refused, lenientJson),
  star("lenient-json-bad-escape", '{"nope":"\\x"}', refused, lenientJson),
  star("lenient-json-bad-number", '{"nope":01}', refused, lenientJson),
  star("lenient-json-bad-known", '{"nope":1,"i32":"x"}', refused, lenientJson),
  star("lenient-json-two-members", '{"choiceText":"a","choiceNum":1}', refused, lenientJson),
  star("lenient-json-enum", '{"color":"PURPLE","i32":1}', gets({ i32: 1 }), lenientJson),
  star(
    "lenient-json-enum-list",
    '{"colors":["COLOR_RED","PURPLE","COLOR_GREEN"]}',
    gets({ colors: ["COLOR_RED", "COLOR_GREEN"] }),
    lenientJson,
  ),
  star("lenient-json-enum-type", '{"color":true}', refused, lenientJson),
  star("lenient-json-top", "[]", refused, lenientJson),
  post(
    "option-lenient-json-field",
    "Bodies/Sub",
    "/b1/sub",
    '{"nope":1,"id":"a"}',
    gets({ sub: { id: "a" } }),
    { config: lenientJson },
  ),
  get("option-lenient-json-query", "Queries/Search", "/q1/all?nope=1", refused, { config: lenientJson }),
  post(
    "option-lenient-json-stream",
    "Streams/Collect",
    "/s1/collect",
    '[{"nope":1},{"displayName":"a"}]',
    { http_status: 200, rpc_requests_json: [{}, { displayName: "a" }] },
    { config: lenientJson },
  ),

  request("option-strict-differs", "Bodies/Star", "PATCH", "/b1/star/9", refused, {
    headers: { "content-type": "application/json" },
    body: '{"id":"8"}',
    config: strict,
  }),
  request("option-strict-absent", "Bodies/Star", "PATCH", "/b1/star/9", gets({ id: "9", i32: 1 }), {
    headers: { "content-type": "application/json" },
    body: '{"i32":1}',
    config: strict,
  }),
  request("option-strict-null", "Bodies/Star", "PATCH", "/b1/star/9", gets({ id: "9" }), {
    headers: { "content-type": "application/json" },
    body: '{"id":null}',
    config: strict,
  }),
  request("option-strict-nested", "Bodies/Sub", "PATCH", "/b1/sub/s1", refused, {
    headers: { "content-type": "application/json" },
    body: '{"id":"s2"}',
    config: strict,
  }),
  request(
    "option-strict-nested-same",
    "Bodies/Sub",
    "PATCH",
    "/b1/sub/s1",
    gets({ sub: { id: "s1", text: "t" } }),
    { headers: { "content-type": "application/json" }, body: '{"text":"t","id":"s1"}', config: strict },
  ),
  request("option-strict-deep", "Bodies/Sub", "PATCH", "/b1/sub/k/deep", refused, {
    headers: { "content-type": "application/json" },
    body: '{"deep":{"key":"other"}}',
    config: strict,
  }),
  request("option-strict-multi", "Bodies/Star", "PUT", "/b1/shelves/7", refused, {
    headers: { "content-type": "application/json" },
    body: '{"name":"shelves/8"}',
    config: strict,
  }),

  request(
    "option-mask-names",
    "Bodies/Sub",
    "PATCH",
    "/b1/sub/s1",
    gets({ sub: { id: "s1", longName: "x", items: ["a"] }, mask: "longName,items" }),
    {
      headers: { "content-type": "application/json" },
      body: '{"longName":"x","items":["a"]}',
      config: masks,
    },
  ),
  request(
    "option-mask-null",
    "Bodies/Sub",
    "PATCH",
    "/b1/sub/s1",
    gets({ sub: { id: "s1" }, mask: "text" }),
    { headers: { "content-type": "application/json" }, body: '{"text":null}', config: masks },
  ),
  request(
    "option-mask-nested-leaf",
    "Bodies/Sub",
    "PATCH",
    "/b1/sub/s1",
    gets({
      sub: { id: "s1", deep: { depth: 1, seenAt: "2020-01-01T00:00:00Z" } },
      mask: "deep.depth,deep.seenAt",
    }),
    {
      headers: { "content-type": "application/json" },
      body: '{"deep":{"depth":1,"seen_at":"2020-01-01T00:00:00Z"}}',
      config: masks,
    },
  ),
  request("option-mask-empty-body", "Bodies/Sub", "PATCH", "/b1/sub/s1", gets({ sub: { id: "s1" } }), {
    headers: { "content-type": "application/json" },
    body: "{}",
    config: masks,
  }),
  request("option-mask-star", "Bodies/Star", "PATCH", "/b1/star/1", gets({ id: "1", i32: 1 }), {
    headers: { "content-type": "application/json" },
    body: '{"i32":1}',
    config: masks,
  }),
  post("option-mask-post", "Bodies/Sub", "/b1/sub", '{"id":"a"}', gets({ sub: { id: "a" } }), {
    config: masks,
  }),
  request("option-mask-off", "Bodies/Sub", "PATCH", "/b1/sub/s1", gets({ sub: { id: "s1", text: "x" } }), {
    headers: { "content-type": "application/json" },
    body: '{"text":"x"}',
  }),

  whole(
    "proto-names-everywhere",
    '{"optI32":1,"subMap":{"1":{"longName":"a"}},"wString":"w","mask":"displayName","struct":{"aB":1}}',
    {
      opt_i32: 1,
      sub_map: { "1": { long_name: "a" } },
      w_string: "w",
      mask: "displayName",
      struct: { aB: 1 },
    },
    protoNames,
  ),
  get(
    "option-proto-names-error",
    "Errors/Fail",
    "/e1/fail?code=3&message=m&details=true",
    {
      http_status: 400,
      error_code: "INVALID_ARGUMENT",
      rpc_request_json: { code: 3, message: "m", details: true },
    },
    { config: protoNames },
  ),
  whole("ints-unknown", '{"color":99,"colors":["COLOR_NEGATIVE",0]}', { color: 99, colors: [-1, 0] }, ints),
  get(
    "option-ints-field",
    "Responses/Field",
    "/r1/field/color?color=COLOR_GREEN",
    { http_status: 200, response_body: 2 },
    { config: ints },
  ),
  whole("ints-null-value", '{"nullValue":null,"struct":{"a":null}}', { struct: { a: null } }, ints),
  get(
    "option-defaults-error",
    "Errors/Fail",
    "/e1/fail?code=5&message=m",
    { http_status: 404, error_code: "NOT_FOUND", rpc_request_json: { code: 5, message: "m" } },
    { config: defaults },
  ),
  get(
    "option-defaults-empty",
    "Responses/Nothing",
    "/r1/nothing",
    { http_status: 200, response_body: {} },
    { config: defaults },
  ),
  get(
    "option-defaults-field-absent",
    "Responses/Field",
    "/r1/field/sub",
    { http_status: 200, response_body: null },
    { config: defaults },
  ),
  get(
    "option-defaults-field",
    "Responses/Field",
    "/r1/field/sub?sub.id=a",
    { http_status: 200, response_body: { id: "a", text: "", num: "0", items: [], longName: "" } },
    { config: defaults },
  ),
  get(
    "option-defaults-stream",
    "Streams/Watch",
    "/s1/watch?count=1",
    { http_status: 200, response_body: [{ text: "1", num: "1" }] },
    { config: defaults },
  ),
  whole(
    "defaults-nested",
    '{"sub":{"deep":{}}}',
    {
      name: "",
      id: "",
      parent: "",
      displayName: "",
      renamedInJson: "",
      i32: 0,
      i64: "0",
      u32: 0,
      u64: "0",
      s32: 0,
      s64: "0",
      fx32: 0,
      fx64: "0",
      sfx32: 0,
      sfx64: "0",
      f32: 0,
      f64: 0,
      flag: false,
      blob: "",
      color: "COLOR_UNSPECIFIED",
      sub: {
        id: "",
        text: "",
        num: "0",
        deep: { key: "", depth: 0, color: "COLOR_UNSPECIFIED" },
        items: [],
        longName: "",
      },
      tags: [],
      nums: [],
      longs: [],
      colors: [],
      subs: [],
      labels: {},
      subMap: {},
      nullValue: null,
    },
    defaults,
  ),

  get(
    "option-envelope-array",
    "Streams/Watch",
    "/s1/watch?count=2&prefix=n",
    {
      http_status: 200,
      response_body: [{ result: { text: "n1", num: "1" } }, { result: { text: "n2", num: "2" } }],
    },
    { config: envelope },
  ),
  get(
    "option-envelope-sse",
    "Streams/Watch",
    "/s1/watch?count=1&prefix=n",
    { http_status: 200, response_body_text: 'data: {"result":{"text":"n1","num":"1"}}\n\n' },
    { headers: { accept: "text/event-stream" }, config: envelope },
  ),
  get(
    "option-envelope-field",
    "Streams/WatchField",
    "/s1/watch-field?count=1&prefix=n",
    { http_status: 200, response_body: [{ result: "n1" }] },
    { config: envelope },
  ),
  get(
    "option-envelope-empty",
    "Streams/Watch",
    "/s1/watch?count=0",
    { http_status: 200, response_body: [] },
    { config: envelope },
  ),
  get(
    "option-envelope-unary",
    "Paths/GetThing",
    "/p1/things/1",
    { http_status: 200, response_body: { id: "1" } },
    { config: envelope },
  ),
  get(
    "option-envelope-raw",
    "Raw/DownloadStream",
    "/h1/download-stream?content_type=text/plain&data=YWJj&pieces=1",
    { http_status: 200, response_body_text: "abc" },
    { config: envelope },
  ),

  post(
    "option-http-code-failure",
    "Meta/Report",
    "/m1/report",
    '{"id":"fail","setHeader":{"x-http-code":"201"}}',
    {
      http_status: 409,
      error_code: "ABORTED",
      rpc_request_json: { id: "fail", setHeader: { "x-http-code": "201" } },
    },
    { config: httpCode },
  ),
  post(
    "option-http-code-no-content",
    "Meta/Report",
    "/m1/report",
    '{"setHeader":{"x-http-code":"204"}}',
    { http_status: 204, response_body_text: "" },
    { config: httpCode },
  ),
  ...["abc", "600", "100", "20", "2000", "200.5"].map((code) =>
    post(
      `option-http-code-bad-${code}`,
      "Meta/Report",
      "/m1/report",
      `{"setHeader":{"x-http-code":"${code}"}}`,
      { http_status: 200 },
      { config: httpCode },
    ),
  ),
];
