/** What strangers, other services and forgers try at a service's own port, past the edge: with @grpc/grpc-js and by hand. */
import { once } from "node:events";
import { createServer } from "node:http";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { create, toBinary } from "@bufbuild/protobuf";
import * as grpcJs from "@grpc/grpc-js";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { identifyCallers } from "../identity/identify-caller.ts";
import { audience, forgeries, issuer, jwks, now, sign } from "../identity/testdata/forged-tokens.ts";
import { createUserVerifier } from "../identity/user-token.ts";
import { libraryMethod } from "../policy/testdata/library-method.ts";
import { frame } from "./grpc/message.ts";
import { serverTls } from "./mutual-tls.ts";
import { createRpcServer } from "./rpc-server.ts";
import { serverInterceptors } from "./server-interceptors.ts";
import {
  forget,
  idOf,
  issue,
  issueTo,
  library,
  log,
  logged,
  root,
  stopAll,
  withPair,
  workload,
} from "./testdata/library-mesh.ts";

/** Readers may find books, when the edge asks for them. */
const method = libraryMethod({
  access: { rule: { case: "roles", value: { anyOf: ["reader"] } } },
  callers: ["edge"],
});
const path = `/${method.parent.typeName}/${method.name}`;
const request = toBinary(method.input, create(method.input));

let keyReads = 0;
const voided = new Map<string, number>();
let port: number;
let edge: { cert: string; key: string };

beforeAll(async () => {
  const keys = createServer((_, response) => {
    keyReads++;
    response.setHeader("content-type", "application/json").end(JSON.stringify(jwks));
  }).listen(0, "127.0.0.1");
  await once(keys, "listening");
  const jwksUrl = `http://127.0.0.1:${(keys.address() as AddressInfo).port}/`;
  const own = workload("library", await issue({ uris: [idOf("library")], dnsNames: ["localhost"] }));
  const findBook = () => {
    library.calls++;
    return create(method.output);
  };
  const interceptors = serverInterceptors({
    log,
    writeLine: () => {},
    identifyCaller: identifyCallers(own),
    verifyUser: createUserVerifier({
      jwksUrl,
      issuer,
      audience,
      revocations: { isRevoked: (user, issuedAt) => issuedAt < (voided.get(user) ?? 0) },
    }),
    directCalls: false,
  });
  const server = await createRpcServer({
    groups: [{ routes: (router) => router.service(method.parent, { findBook } as object), interceptors }],
    readMaxBytes: 100_000,
    compressMinBytes: 100_000,
    secure: serverTls(own, log),
  });
  await server.listen({ host: "127.0.0.1", port: 0 });
  port = (server.server.address() as AddressInfo).port;
  edge = withPair(await issueTo("edge"));
  return async () => {
    keys.close();
    await server.close();
  };
});
beforeEach(forget);
afterAll(stopAll);

/** A caller by @grpc/grpc-js: `call` gives the status. */
function grpcCaller({ cert, key }: { cert: string; key: string }) {
  const [ca, k, c] = [root.certificate, key, cert].map((pem) => Buffer.from(pem)) as [Buffer, Buffer, Buffer];
  const options = { "grpc.ssl_target_name_override": "localhost" };
  const client = new grpcJs.Client(`127.0.0.1:${port}`, grpcJs.credentials.createSsl(ca, k, c), options);
  onTestFinished(() => client.close());
  const bytes = (message: Buffer) => message;
  return (metadata: grpcJs.Metadata, at = path) =>
    new Promise<{ code: number; details: string }>((resolve) =>
      client.makeUnaryRequest(at, bytes, bytes, Buffer.from(request), metadata, (error) =>
        resolve({ code: error?.code ?? 0, details: error?.details ?? "" }),
      ),
    );
}

function metadataOf(...entries: [string, string | Buffer][]): grpcJs.Metadata {
  const metadata = new grpcJs.Metadata();
  for (const [name, value] of entries) metadata.add(name, value);
  return metadata;
}
const withToken = (token: string) => metadataOf(["authorization", `Bearer ${token}`]);

/** A connection by hand; `pair` is the caller's certificate, if it shows one. */
function connection(pair?: { cert: string; key: string }) {
  const options = { ca: root.certificate, checkServerIdentity: () => undefined, ...pair };
  const session = http2.connect(`https://127.0.0.1:${port}`, options);
  onTestFinished(() => session.destroy());
  return async (
    headers: http2.OutgoingHttpHeaders,
    { trailers, body = frame(request) }: { trailers?: http2.OutgoingHttpHeaders; body?: Buffer } = {},
  ): Promise<{ grpc: string | undefined; http: number }> => {
    const stream = session.request(headers, { waitForTrailers: true } as object);
    stream.on("wantTrailers", () => stream.sendTrailers(trailers ?? {}));
    if (stream.writable) stream.end(body);
    let first: http2.IncomingHttpHeaders = {};
    let last: http2.IncomingHttpHeaders = {};
    stream.on("response", (received) => {
      first = received;
    });
    stream.on("trailers", (received) => {
      last = received;
    });
    // A reset in place of an answer is an answer, too.
    stream.on("error", () => {}).resume();
    await new Promise((resolve) => stream.once("close", resolve));
    const status = first["grpc-status"] ?? last["grpc-status"];
    return { grpc: status as string | undefined, http: Number(first[":status"] ?? 0) };
  };
}

const grpc = (more: Record<string, string> = {}, at = path) => ({
  ":method": "POST",
  ":path": at,
  "content-type": "application/grpc",
  te: "trailers",
  ...more,
});

test("a good token of a reader passes where the edge brings it", async () => {
  expect(await grpcCaller(edge)(withToken(await sign()))).toMatchObject({ code: 0 });
  expect(await connection(edge)(grpc({ authorization: `Bearer ${await sign()}` }))).toMatchObject({
    grpc: "0",
  });
  expect(library.calls).toBe(2);
  expect(logged).toEqual([]);
});

test.each(forgeries)("a token is refused, with caller and method in the log: %s", async (_what, forge) => {
  const token = await forge();
  const { code, details } = await grpcCaller(edge)(withToken(token));
  expect(code).toBe(16);
  expect(details).not.toMatch(/jose|kid|alg|signature|\.ts:/i);
  expect(logged).toMatchObject([
    { caller: "edge", rpc: path.slice(1), reason: expect.stringMatching(/^TOKEN_(INVALID|EXPIRED)$/) },
  ]);
  expect(JSON.stringify(logged)).not.toContain(token.slice(0, 40));
  expect(library.calls).toBe(0);
});

test("a token larger than headers may be ends its own call only", async () => {
  const call = grpcCaller(edge);
  expect((await call(withToken(await sign({ filler: "x".repeat(100_000) })))).code).not.toBe(0);
  expect(library.calls).toBe(0);
  expect(await call(withToken(await sign()))).toMatchObject({ code: 0 });
});

/** Where a good token does not belong. */
const misplaced: [string, (token: string) => Record<string, string>][] = [
  ["nowhere", () => ({})],
  ["in an empty header", () => ({ authorization: "" })],
  ["as the scheme alone", () => ({ authorization: "Bearer" })],
  ["by another scheme", (token) => ({ authorization: `Basic ${token}` })],
  ["twice in one header", (token) => ({ authorization: `Bearer ${token}, Bearer ${token}` })],
  ["with more behind it", (token) => ({ authorization: `Bearer ${token} x` })],
  [
    "in binary metadata",
    (token) => ({ "authorization-bin": Buffer.from(`Bearer ${token}`).toString("base64") }),
  ],
  ["in the header of proxies", (token) => ({ "proxy-authorization": `Bearer ${token}` })],
  ["in a header that looks like it", (token) => ({ "x-authorization": `Bearer ${token}` })],
  ["in the header of Istio's user", (token) => ({ "x-forwarded-access-token": token })],
  ["in a cookie", (token) => ({ cookie: `authorization=Bearer ${token}` })],
  [
    "as names that a proxy could set",
    () => ({ "x-user-id": "ann", "x-weft-user": "ann", "x-forwarded-user": "ann" }),
  ],
];
test.each(misplaced)("a token counts for nothing %s", async (_what, headers) => {
  expect(await connection(edge)(grpc(headers(await sign())))).toMatchObject({ grpc: "16" });
  expect(logged).toMatchObject([{ caller: "edge", rpc: path.slice(1) }]);
  expect(library.calls).toBe(0);
});

test("a token counts for nothing in trailers, or in the query", async () => {
  const call = connection(edge);
  const authorization = `Bearer ${await sign()}`;
  expect(await call(grpc(), { trailers: { authorization } })).toMatchObject({ grpc: "16" });
  const answer = await call(grpc({}, `${path}?access_token=${await sign()}`));
  expect(answer.grpc).not.toBe("0");
  expect(library.calls).toBe(0);
});

test.each([
  ["good and forged", true, false],
  ["forged and good", false, true],
  ["the same good one twice", true, true],
])("two authorization headers are refused: %s", async (_what, first, second) => {
  const token = async (good: boolean) => `Bearer ${await sign(good ? {} : { aud: "other" })}`;
  const both = [await token(first), await token(second)];
  const refused = { reason: "TOKEN_INVALID", caller: "edge", rpc: path.slice(1) };
  const h2 = await socketFor("h2");
  const scheme = [
    [":scheme", "https"],
    [":authority", "library"],
  ] as const;
  h2.write(
    rawCall([
      ...scheme,
      ...Object.entries(grpc()),
      ...both.map((value) => ["authorization", value] as const),
    ]),
  );
  await vi.waitFor(() => expect(logged).toMatchObject([refused]));
  const h1 = await socketFor("http/1.1");
  const lines = [
    "Host: x",
    "Content-Type: application/json",
    ...both.map((value) => `Authorization: ${value}`),
  ];
  h1.write(`POST ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\nContent-Length: 2\r\n\r\n{}`);
  const [answer] = await once(h1, "data");
  expect(String(answer)).toMatch(/^HTTP\/1.1 401/);
  expect(logged).toMatchObject([refused, refused]);
  expect(library.calls).toBe(0);
});

/** A connection of the edge's. */
async function socketFor(protocol: string): Promise<tls.TLSSocket> {
  const options = { ca: root.certificate, checkServerIdentity: () => undefined, ALPNProtocols: [protocol] };
  const socket = tls.connect({ port, host: "127.0.0.1", ...options, ...edge });
  onTestFinished(() => void socket.destroy());
  await once(socket, "secureConnect");
  return socket;
}

/** A call as no client of HTTP/2 makes it: its header block is written by hand (RFC 7541, literals without a table). */
function rawCall(fields: readonly (readonly [string, string])[]): Buffer {
  const block = fields.map(([name, value]) => Buffer.concat([Buffer.of(0), literal(name), literal(value)]));
  return Buffer.concat([
    Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    rawFrame(4, 0, 0, Buffer.alloc(0)), // SETTINGS
    rawFrame(1, 4, 1, Buffer.concat(block)), // HEADERS
    rawFrame(0, 1, 1, frame(request)), // DATA, the last
  ]);
}

function rawFrame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.set([type, flags], 3);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Length and text; lengths from 127 on take more bytes (RFC 7541 section 5.1). */
function literal(text: string): Buffer {
  const length = [Math.min(text.length, 0x7f)];
  if (text.length >= 0x7f) {
    let rest = text.length - 0x7f;
    for (; rest >= 0x80; rest >>= 7) length.push((rest & 0x7f) | 0x80);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), Buffer.from(text)]);
}

test("a token counts for its own call only, not for others of the connection", async () => {
  const call = connection(edge);
  const good = { authorization: `Bearer ${await sign()}` };
  const forged = { authorization: `Bearer ${await sign({ aud: "other" })}` };
  const statuses = [];
  for (const headers of [good, {}, good, forged, good]) statuses.push((await call(grpc(headers))).grpc);
  expect(statuses).toEqual(["0", "16", "0", "16", "0"]);
});

test("a user without the role is refused, and one whose tokens were voided", async () => {
  const call = grpcCaller(edge);
  expect(await call(withToken(await sign({ roles: ["writer", "READER", "reader "] })))).toMatchObject({
    code: 7,
  });
  voided.set("bob", now() + 1);
  onTestFinished(() => void voided.clear());
  expect(await call(withToken(await sign({ sub: "bob" })))).toMatchObject({ code: 16 });
  expect(logged.map(({ reason }) => reason)).toEqual(["ROLE_MISSING", "TOKEN_REVOKED"]);
  expect(library.calls).toBe(0);
});

test.each(["edg", "edge2", "edge-2", "xedge", "library", "operator", "e-dge"])(
  "a workload called %s is not the edge, whatever token it has",
  async (name) => {
    const call = grpcCaller(withPair(await issueTo(name)));
    expect(await call(withToken(await sign()))).toMatchObject({ code: 7 });
    expect(logged).toMatchObject([{ caller: name, reason: "CALLER_DENIED", rpc: path.slice(1) }]);
    expect(library.calls).toBe(0);
  },
);

const claimed = `By=${idOf("library")};URI=${idOf("edge")}`;
const l5d = "edge.default.serviceaccount.identity.linkerd.weft.test";
test.each<[string, Record<string, string>, string]>([
  ["as Istio's proxy says it", { "x-forwarded-client-cert": claimed }, "WORKLOAD_INVALID"],
  ["as two proxies say it", { "x-forwarded-client-cert": `${claimed}, ${claimed}` }, "WORKLOAD_INVALID"],
  ["as Linkerd's proxy says it", { "l5d-client-id": l5d }, "WORKLOAD_INVALID"],
  ["as both say it", { "x-forwarded-client-cert": claimed, "l5d-client-id": l5d }, "WORKLOAD_INVALID"],
  [
    "in binary metadata",
    {
      "x-forwarded-client-cert-bin": Buffer.from(claimed).toString("base64"),
      "l5d-client-id-bin": Buffer.from(l5d).toString("base64"),
    },
    "WORKLOAD_MISSING",
  ],
  [
    "in headers of other proxies",
    { "ssl-client-subject-dn": "CN=edge", "x-client-cert": claimed },
    "WORKLOAD_MISSING",
  ],
  [
    "in headers of the kit's name",
    { "x-weft-identity": "edge", "x-weft-caller": "edge" },
    "WORKLOAD_MISSING",
  ],
  ["in the user agent", { "user-agent": idOf("edge") }, "WORKLOAD_MISSING"],
])("the edge's name is not believed %s", async (_what, headers, reason) => {
  const good = { authorization: `Bearer ${await sign()}` };
  // By a stranger, and by a workload of the mesh that would be somebody else.
  expect(await connection()(grpc({ ...good, ...headers }))).toMatchObject({ grpc: "16" });
  const other = await connection(withPair(await issueTo("archive")))(grpc({ ...good, ...headers }));
  const denied = reason === "WORKLOAD_INVALID" ? ["16", reason] : ["7", "CALLER_DENIED"];
  expect(other.grpc).toBe(denied[0]);
  expect(logged.map((line) => line.reason)).toEqual([reason, denied[1]]);
  expect(library.calls).toBe(0);
});

test.each([
  path.toLowerCase(),
  `/${path}`,
  `${path}/`,
  `${path}?`,
  `${path}?x=1`,
  `${path};x=1`,
  `${path}#x`,
  `${path}%20`,
  path.replace("F", "%46"),
  path.replace("/Find", "//Find"),
  path.replace("/Find", "%2FFind"),
  `/x/..${path}`,
  `/.${path}`,
  `http://library${path}`,
])("another spelling of the method gets past nobody: %s", async (at) => {
  const stranger = connection();
  expect((await stranger(grpc({}, at))).grpc).not.toBe("0");
  const json = { ...grpc({}, at), "content-type": "application/json" };
  expect((await stranger(json, { body: Buffer.from("{}") })).http).not.toBe(200);
  expect(library.calls).toBe(0);
});

test.each<[string, Record<string, string>, Buffer]>([
  ["Connect with JSON", { "content-type": "application/json" }, Buffer.from("{}")],
  ["Connect", { "content-type": "application/proto" }, Buffer.from(request)],
  ["gRPC-Web", { "content-type": "application/grpc-web+proto" }, frame(request)],
  ["gRPC with JSON", { "content-type": "application/grpc+json" }, frame(Buffer.from("{}"))],
  ["gRPC with a parameter", { "content-type": "application/grpc;x=1" }, frame(request)],
  [
    "Connect by GET",
    { ":method": "GET", ":path": `${path}?connect=v1&encoding=json&message=%7B%7D` },
    Buffer.alloc(0),
  ],
])("the same is asked for by %s", async (_what, more, body) => {
  const forged = { authorization: `Bearer ${await sign({ aud: "other" })}` };
  const good = { authorization: `Bearer ${await sign()}` };
  for (const [pair, headers] of [
    [edge, {}],
    [edge, forged],
    [undefined, good],
    [withPair(await issueTo("archive")), good],
  ] as const)
    await connection(pair)({ ...grpc(), ...headers, ...more }, { body });
  expect(library.calls).toBe(0);
});

test("a flood of unknown key ids reads the keys once, and holders of good tokens do not notice", async () => {
  const call = grpcCaller(edge);
  expect(await call(withToken(await sign()))).toMatchObject({ code: 0 });
  const before = keyReads;
  const flood = await Promise.all(Array.from({ length: 100 }, (_, n) => sign({}, { kid: `unknown-${n}` })));
  const answers = await Promise.all(flood.map((token) => call(withToken(token))));
  expect(new Set(answers.map(({ code }) => code))).toEqual(new Set([16]));
  expect(await call(withToken(await sign({ jti: "another" })))).toMatchObject({ code: 0 });
  expect(keyReads - before).toBeLessThanOrEqual(1);
});
