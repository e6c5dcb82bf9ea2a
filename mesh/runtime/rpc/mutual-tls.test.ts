/** TLS between workloads: who is let in, who is believed, and what a renewal does to calls. */
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http2 from "node:http2";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import * as grpcJs from "@grpc/grpc-js";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { DeadLetterService, ListDeadLettersRequestSchema } from "#gen/weft/events/v1/dead_letters_pb.ts";
import { createRoot, issueCertificate, type KeyPair, type Subject } from "#local/certificates.ts";
import { identifyCallers } from "../identity/identify-caller.ts";
import { loadWorkload, type Workload } from "../identity/workload.ts";
import { frame } from "./grpc/message.ts";
import { readStatus } from "./grpc/status.ts";
import { grpcTransport } from "./grpc/transport.ts";
import { serverTls, sessionsTo } from "./mutual-tls.ts";
import { createRpcServer } from "./rpc-server.ts";
import { serverInterceptors } from "./server-interceptors.ts";

const domain = { trustDomain: "weft.test", namespace: "default" };
const idOf = (name: string) => `spiffe://weft.test/ns/default/sa/${name}`;
const hour = 60 * 60 * 1_000;
const now = Date.now();
const valid = { notBefore: new Date(now - hour), notAfter: new Date(now + 24 * hour) };

const folder = mkdtempSync(join(tmpdir(), "weft-tls-"));
const logged: Record<string, unknown>[] = [];
const log = pino({ level: "warn" }, { write: (line) => void logged.push(JSON.parse(line)) });
let root: KeyPair;
let strangers: KeyPair;
/** "Gate" holds calls until it is opened. */
let gate: Promise<void> | undefined;
let calls = 0;
let port: number;
let direct: number;
let library: Workload;

const issue = (subject: Subject, validity = valid, by = root) => issueCertificate(by, subject, validity);
const issueTo = (name: string) => issue({ uris: [idOf(name)] });

function writeFiles(name: string, { certificate, key }: KeyPair, roots: string) {
  const file = (kind: string) => join(folder, `${name}.${kind}.pem`);
  writeFileSync(file("key"), key);
  writeFileSync(file("cert"), certificate);
  writeFileSync(file("roots"), roots);
  return { identityCertFile: file("cert"), identityKeyFile: file("key"), trustBundleFile: file("roots") };
}

function workload(name: string, pair: KeyPair, roots = root.certificate): Workload {
  return loadWorkload(name, { mesh: "none", ...domain, ...writeFiles(name, pair, roots) }, log);
}

async function serve(own: Workload, directCalls = false): Promise<number> {
  const server = await createRpcServer({
    groups: [
      {
        routes: (router) =>
          router.service(DeadLetterService, {
            listDeadLetters: async () => {
              calls++;
              await gate;
              return { nextPageToken: "reached" };
            },
          }),
        interceptors: serverInterceptors({
          log,
          writeLine: () => {},
          identifyCaller: identifyCallers(own),
          verifyUser: () => Promise.reject(new Error("no user is involved")),
          directCalls,
        }),
      },
    ],
    readMaxBytes: 10_000,
    compressMinBytes: 10_000,
    secure: serverTls(own, log),
  });
  await server.listen({ host: "127.0.0.1", port: 0 });
  onStop.push(() => server.close());
  return (server.server.address() as AddressInfo).port;
}
const onStop: (() => unknown)[] = [];

beforeAll(async () => {
  root = await createRoot("weft.test", valid);
  strangers = await createRoot("weft.test", valid);
  library = workload("library", await issueTo("library"));
  port = await serve(library);
  direct = await serve(library, true);
});
beforeEach(() => {
  logged.length = 0;
  calls = 0;
  gate = undefined;
});
afterAll(async () => {
  for (const stop of onStop) await stop();
  rmSync(folder, { recursive: true });
});

/** A call by hand, as anybody can make one. */
async function call(url: string, options: http2.SecureClientSessionOptions = {}, headers: object = {}) {
  const session = http2.connect(url, {
    checkServerIdentity: () => undefined,
    ca: root.certificate,
    ...options,
  });
  onTestFinished(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":path": "/weft.events.v1.DeadLetterService/ListDeadLetters",
    "content-type": "application/grpc",
    ...headers,
  });
  stream.end(frame(toBinary(ListDeadLettersRequestSchema, create(ListDeadLettersRequestSchema))));
  let trailers: http2.IncomingHttpHeaders | undefined;
  stream.on("trailers", (received) => {
    trailers = received;
  });
  const [received] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
  stream.resume();
  await once(stream, "end");
  const status = readStatus(trailers ?? received, 200, undefined);
  return status ? Code[status.code] : "OK";
}

const secure = () => `https://127.0.0.1:${port}`;
const withPair = ({ certificate, key }: KeyPair) => ({ cert: certificate, key });

test("a service on the method's list is let in, and one that is not is named in the refusal's log", async () => {
  expect(await call(secure(), withPair(await issueTo("operator")))).toBe("OK");
  expect(calls).toBe(1);
  expect(await call(secure(), withPair(await issueTo("edge")))).toBe("PermissionDenied");
  expect(logged).toMatchObject([
    { caller: "edge", reason: "CALLER_DENIED", rpc: "weft.events.v1.DeadLetterService/ListDeadLetters" },
  ]);
  expect(calls).toBe(1);
});

const uri = (...uris: string[]) => issue({ uris });
const attacks: [name: string, make: () => Promise<KeyPair>, problem: RegExp][] = [
  [
    "signed by another authority",
    () => issue({ uris: [idOf("operator")] }, valid, strangers),
    /UNABLE_TO|SIGNATURE/,
  ],
  ["self-signed", () => createRoot("weft.test", valid), /INVALID_PURPOSE|SELF_SIGNED/],
  ["the authority's own", async () => root, /authority|PURPOSE|SELF_SIGNED/i],
  [
    "expired",
    () =>
      issue(
        { uris: [idOf("operator")] },
        { notBefore: new Date(now - 3 * hour), notAfter: new Date(now - hour) },
      ),
    /CERT_HAS_EXPIRED/,
  ],
  [
    "not valid yet",
    () =>
      issue(
        { uris: [idOf("operator")] },
        { notBefore: new Date(now + hour), notAfter: new Date(now + 3 * hour) },
      ),
    /CERT_NOT_YET_VALID/,
  ],
  ["of another trust domain", () => uri("spiffe://evil.test/ns/default/sa/operator"), /no workload/],
  ["of another namespace", () => uri("spiffe://weft.test/ns/evil/sa/operator"), /no workload/],
  ["with two ids", () => uri(idOf("operator"), idOf("edge")), /2 URIs/],
  ["with the same id twice", () => uri(idOf("operator"), idOf("operator")), /2 URIs/],
  [
    "with the name as common name only",
    () => issue({ uris: [], distinguishedName: "CN=operator" }),
    /0 URIs/,
  ],
  ["with the name as DNS name only", () => issue({ uris: [], dnsNames: ["operator"] }), /0 URIs/],
  ["with the id as DNS name", () => issue({ uris: [], dnsNames: [`x, URI:${idOf("operator")}`] }), /0 URIs/],
  ["with a longer path", () => uri(`${idOf("operator")}/x`), /no workload/],
  ["with a slash behind", () => uri(`${idOf("operator")}/`), /no workload/],
  ["with an escape in the id", () => uri("spiffe://weft.test/ns/default/sa/%6fperator"), /no workload/],
  ["with dots in the path", () => uri("spiffe://weft.test/ns/x/../default/sa/operator"), /no workload/],
  ["in capitals", () => uri("SPIFFE://WEFT.TEST/ns/default/sa/operator"), /no workload/],
  ["with a query", () => uri(`${idOf("operator")}?x`), /no workload/],
  ["with a port", () => uri("spiffe://weft.test:443/ns/default/sa/operator"), /no workload/],
  ["with a user", () => uri("spiffe://x@weft.test/ns/default/sa/operator"), /no workload/],
  ["with https in place of spiffe", () => uri("https://weft.test/ns/default/sa/operator"), /no workload/],
  ["with a name that ends the quotes", () => uri(`${idOf("operator")}", URI:"x`), /URIs|no workload|read/],
];

test.each(attacks)(
  "a certificate %s is refused, logged with the method, and nothing is done",
  async (_, make, problem) => {
    expect(await call(secure(), withPair(await make()))).toBe("Unauthenticated");
    expect(logged).toMatchObject([
      {
        reason: "WORKLOAD_INVALID",
        rpc: "weft.events.v1.DeadLetterService/ListDeadLetters",
        problem: expect.stringMatching(problem),
      },
    ]);
    expect(JSON.stringify(logged)).not.toContain("PRIVATE KEY");
    expect(calls).toBe(0);
  },
);

test("a peer that is not ours comes with its certificate, too: @grpc/grpc-js", async () => {
  const { certificate, key } = await issue({ uris: [idOf("operator")] });
  const own = workload("library", await issue({ uris: [idOf("library")], dnsNames: ["localhost"] }));
  const at = await serve(own);
  const [ca, k, c] = [root.certificate, key, certificate].map((pem) => Buffer.from(pem)) as [
    Buffer,
    Buffer,
    Buffer,
  ];
  const status = (credentials: grpcJs.ChannelCredentials) =>
    new Promise<number>((resolve) => {
      const client = new grpcJs.Client(`127.0.0.1:${at}`, credentials, {
        "grpc.ssl_target_name_override": "localhost",
      });
      onTestFinished(() => client.close());
      const path = "/weft.events.v1.DeadLetterService/ListDeadLetters";
      const bytes = (message: Buffer) => message;
      client.makeUnaryRequest(path, bytes, bytes, Buffer.alloc(0), (error) => resolve(error?.code ?? 0));
    });
  expect(await status(grpcJs.credentials.createSsl(ca, k, c))).toBe(0);
  expect(await status(grpcJs.credentials.createSsl(ca))).toBe(16);
});

test("without a certificate, by TLS or in plaintext, a call is refused", async () => {
  expect(await call(secure())).toBe("Unauthenticated");
  expect(await call(`http://127.0.0.1:${port}`)).toBe("Unauthenticated");
  expect(logged).toMatchObject([{ reason: "WORKLOAD_MISSING" }, { reason: "WORKLOAD_MISSING" }]);
  expect(calls).toBe(0);
});

test("in development a caller without a certificate may call what the edge may, and no more", async () => {
  expect(await call(`http://127.0.0.1:${direct}`)).toBe("PermissionDenied");
  expect(logged).toMatchObject([{ caller: "edge", reason: "CALLER_DENIED" }]);
});

const spoofed = {
  "x-forwarded-client-cert": `By=${idOf("library")};URI=${idOf("operator")}`,
  "l5d-client-id": "operator.default.serviceaccount.identity.linkerd.weft.test",
};
test.each(Object.entries(spoofed))("the header %s counts for nothing without a mesh", async (name, value) => {
  expect(await call(`http://127.0.0.1:${direct}`, {}, { [name]: value })).toBe("Unauthenticated");
  expect(await call(secure(), withPair(await issueTo("edge")), { [name]: value })).toBe("Unauthenticated");
  expect(calls).toBe(0);
});

test("a name in x-weft-identity is not listened to", async () => {
  const headers = { "x-weft-identity": "operator" };
  expect(await call(`http://127.0.0.1:${direct}`, {}, headers)).toBe("PermissionDenied");
});

test("a certificate that expires during a connection ends its rights", async () => {
  const session = await grpc("operator", await issueTo("operator"));
  expect(await session.list()).toBe("reached");
  vi.useFakeTimers({ toFake: ["Date"], now: now + 25 * hour });
  onTestFinished(() => void vi.useRealTimers());
  await expect(session.list()).rejects.toMatchObject({ code: Code.Unauthenticated });
  expect(logged).toMatchObject([{ problem: expect.stringContaining("expired") }]);
});

test.each(["TLSv1.2", "TLSv1.1"] as const)("%s is refused", async (version) => {
  const options = {
    ...withPair(await issueTo("operator")),
    ca: root.certificate,
    checkServerIdentity: () => undefined,
  };
  const socket = tls.connect({
    port,
    host: "127.0.0.1",
    minVersion: version,
    maxVersion: version,
    ...options,
  });
  const [error] = await once(socket, "error");
  expect(String(error)).toMatch(/protocol version|no protocols available/i);
});

test("a session is not resumed: it would bring back a certificate that may have expired since", async () => {
  const options = {
    ...withPair(await issueTo("operator")),
    ca: root.certificate,
    checkServerIdentity: () => undefined,
  };
  const first = tls.connect({ port, host: "127.0.0.1", ALPNProtocols: ["h2"], ...options });
  onTestFinished(() => void first.destroy());
  await once(first, "secureConnect");
  let session = first.getSession();
  first.on("session", (ticket) => {
    session = ticket;
  });
  await once(first, "data"); // the server's settings; tickets come before
  const second = tls.connect({ port, host: "127.0.0.1", ALPNProtocols: ["h2"], ...options, session });
  onTestFinished(() => void second.destroy());
  await once(second, "secureConnect");
  expect(second.isSessionReused()).toBe(false);
});

test("there is nothing to renegotiate", async () => {
  const options = { ca: root.certificate, checkServerIdentity: () => undefined, ALPNProtocols: ["h2"] };
  const socket = tls.connect({ port, host: "127.0.0.1", ...options });
  await once(socket, "secureConnect");
  onTestFinished(() => void socket.destroy());
  expect(socket.getProtocol()).toBe("TLSv1.3");
  const refused = new Promise<Error | null>((resolve) => socket.renegotiate({}, resolve));
  expect(await refused).toBeInstanceOf(Error);
});

test("bytes that are neither TLS nor HTTP harm nobody", async () => {
  for (const bytes of [
    "\x16\x03\x01\xff\xffgarbage",
    "\x16\x03\x01\x00\x04junk",
    "\x16",
    "\x15\x03\x03\x00\x02\x02\x28",
  ]) {
    const socket = connect(port, "127.0.0.1");
    socket
      .resume()
      .on("error", () => {})
      .end(bytes);
    await once(socket, "close");
  }
  expect(await call(secure(), withPair(await issueTo("operator")))).toBe("OK");
});

/** The runtime's own client of the library at `at`. */
async function grpc(name: string, pair: KeyPair, { at = port, roots = root.certificate } = {}) {
  const own = workload(name, pair, roots);
  const sessions = sessionsTo("library", `http://127.0.0.1:${at}`, own, log);
  onTestFinished(() => {
    sessions.destroy();
    own.credentials?.close();
  });
  const transport = grpcTransport({ sessions, interceptors: [], readMaxBytes: 10_000 });
  const client = createClient(DeadLetterService, transport);
  return { own, list: async () => (await client.listDeadLetters({})).nextPageToken };
}

const servers: [name: string, options: () => Promise<http2.SecureServerOptions>][] = [
  ["has another service's certificate", async () => withPair(await issueTo("archive"))],
  [
    "has one of another authority",
    async () => withPair(await issue({ uris: [idOf("library")] }, valid, strangers)),
  ],
  [
    "has an expired one",
    async () =>
      withPair(
        await issue(
          { uris: [idOf("library")] },
          { notBefore: new Date(now - 3 * hour), notAfter: new Date(now - hour) },
        ),
      ),
  ],
  [
    "has one of another trust domain",
    async () => withPair(await uri("spiffe://evil.test/ns/default/sa/library")),
  ],
  ["has two ids", async () => withPair(await uri(idOf("library"), idOf("archive")))],
  [
    "is known by DNS name only",
    async () =>
      withPair(await issue({ uris: [], dnsNames: ["library", "localhost"], addresses: ["127.0.0.1"] })),
  ],
  ["speaks TLS 1.2 only", async () => ({ ...withPair(await issueTo("library")), maxVersion: "TLSv1.2" })],
];

test.each(servers)("a server that %s gets no call", async (_, options) => {
  let reached = false;
  const server = http2.createSecureServer(await options());
  server.on("stream", () => {
    reached = true;
  });
  server.on("sessionError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { list } = await grpc("operator", await issueTo("operator"), {
    at: (server.address() as AddressInfo).port,
  });
  await expect(list()).rejects.toMatchObject({ code: Code.Unavailable });
  expect(reached).toBe(false);
});

test("a server that speaks plaintext gets no call", async () => {
  const server = http2.createServer(() => {
    calls++;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { list } = await grpc("operator", await issueTo("operator"), {
    at: (server.address() as AddressInfo).port,
  });
  await expect(list()).rejects.toBeInstanceOf(ConnectError);
  expect(calls).toBe(0);
});

test("a renewal drops no call: those in flight end on the connection they have, new ones come with the new certificate", async () => {
  const client = await grpc("operator", await issueTo("operator"));
  const opened = Promise.withResolvers<void>();
  gate = opened.promise;
  const before = client.list();
  await vi.waitFor(() => expect(calls).toBe(1));

  // Both ends renew, from a root that only the new bundle has.
  const next = await createRoot("weft.test", valid);
  const both = root.certificate + next.certificate;
  writeFiles("library", await issue({ uris: [idOf("library")] }, valid, next), both);
  writeFiles("operator", await issue({ uris: [idOf("operator")] }, valid, next), both);
  library.credentials?.reload();
  client.own.credentials?.reload();

  gate = undefined;
  expect(await client.list()).toBe("reached");
  opened.resolve();
  expect(await before).toBe("reached");

  // The old root goes; a certificate by it is now a stranger's.
  writeFileSync(join(folder, "library.roots.pem"), next.certificate);
  library.credentials?.reload();
  expect(await client.list()).toBe("reached");
  expect(await call(secure(), { ...withPair(await issueTo("operator")), ca: both })).toBe("Unauthenticated");
});

test("a peer known by a root that is withdrawn has to show its certificate again", async () => {
  const next = await createRoot("weft.test", valid);
  const issued = await issue({ uris: [idOf("archive")] });
  const own = workload("archive", issued);
  const at = await serve(own);
  const options = {
    ...withPair(await issueTo("operator")),
    ca: root.certificate,
    checkServerIdentity: () => undefined,
  };
  const session = http2.connect(`https://127.0.0.1:${at}`, options);
  session.on("error", () => {});
  onTestFinished(() => session.destroy());
  await once(session, "remoteSettings");
  writeFiles("archive", issued, root.certificate + next.certificate);
  own.credentials?.reload();
  await new Promise((resolve) => session.ping(resolve));
  expect(session.closed, "a root more changes nothing").toBe(false);
  writeFiles("archive", issued, next.certificate);
  const goaway = once(session, "goaway");
  own.credentials?.reload();
  await goaway;
});

test.each(["http/1.1", "h2"])(
  "other protocols over %s are asked for the same certificate",
  async (protocol) => {
    const ask = async (options: tls.ConnectionOptions) => {
      const socket = tls.connect({
        port,
        host: "127.0.0.1",
        ca: root.certificate,
        checkServerIdentity: () => undefined,
        ALPNProtocols: [protocol],
        ...options,
      });
      onTestFinished(() => void socket.destroy());
      await once(socket, "secureConnect");
      const path = "/weft.events.v1.DeadLetterService/ListDeadLetters";
      if (protocol === "h2") {
        const session = http2.connect("https://library.test", { createConnection: () => socket });
        const stream = session.request({
          ":method": "POST",
          ":path": path,
          "content-type": "application/json",
        });
        stream.end("{}");
        const [headers] = await once(stream, "response");
        return headers[":status"];
      }
      socket.write(
        `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
      );
      const [answer] = await once(socket, "data");
      return Number(String(answer).split(" ")[1]);
    };
    writeFiles("library", await issueTo("library"), root.certificate);
    library.credentials?.reload();
    expect(await ask(withPair(await issueTo("operator")))).toBe(200);
    expect(calls).toBe(1);
    expect(await ask(withPair(await issueTo("edge")))).toBe(403);
    expect(await ask({})).toBe(401);
    expect(calls).toBe(1);
  },
);

test("renewals under load lose nothing", async () => {
  writeFiles("library", await issueTo("library"), root.certificate);
  library.credentials?.reload();
  const client = await grpc("operator", await issueTo("operator"));
  const failures: unknown[] = [];
  let over = false;
  const caller = async () => {
    while (!over) await client.list().catch((error) => failures.push(error));
  };
  const callers = Array.from({ length: 8 }, caller);
  for (let renewal = 0; renewal < 4; renewal++) {
    writeFiles("library", await issueTo("library"), root.certificate);
    writeFiles("operator", await issueTo("operator"), root.certificate);
    library.credentials?.reload();
    client.own.credentials?.reload();
    const before = calls;
    await vi.waitFor(() => expect(calls).toBeGreaterThan(before + 30));
  }
  over = true;
  await Promise.all(callers);
  expect(failures).toEqual([]);
});

test("a workload does not start with another's certificate, another's key or an expired one", async () => {
  const [mine, other] = [await issueTo("operator"), await issueTo("edge")];
  expect(() => workload("operator", other)).toThrow('belongs to "edge"');
  expect(() => workload("operator", { ...mine, key: other.key })).toThrow("another key");
  const old = { notBefore: new Date(now - 3 * hour), notAfter: new Date(now - hour) };
  const expired = await issue({ uris: [idOf("operator")] }, old);
  expect(() => workload("operator", expired)).toThrow("expired");
});

test("files that do not fit together, being written just now, change nothing", async () => {
  const client = await grpc("operator", await issueTo("operator"), { roots: root.certificate });
  const { current } = client.own.credentials!;
  writeFileSync(join(folder, "operator.key.pem"), (await issueTo("operator")).key);
  client.own.credentials?.reload();
  expect(client.own.credentials?.current).toBe(current);
});
