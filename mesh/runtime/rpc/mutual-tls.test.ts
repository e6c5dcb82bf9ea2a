/** Who is let in by TLS, who is believed, and what a certificate must not say. */
import { once } from "node:events";
import http2 from "node:http2";
import { connect } from "node:net";
import tls from "node:tls";
import { Code } from "@connectrpc/connect";
import * as grpcJs from "@grpc/grpc-js";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { createRoot, type KeyPair } from "#local/certificates.ts";
import {
  call,
  client,
  expired,
  forget,
  hour,
  idOf,
  issue,
  issueTo,
  library,
  logged,
  now,
  path,
  root,
  serve,
  stopAll,
  strangers,
  valid,
  withPair,
  workload,
} from "./testdata/library-mesh.ts";

let port: number;
let direct: number;
beforeAll(async () => {
  const own = workload("library", await issueTo("library"));
  port = await serve(own);
  direct = await serve(own, true);
});
beforeEach(forget);
afterAll(stopAll);

const secure = () => `https://127.0.0.1:${port}`;

test("a service on the method's list is let in, and one that is not is named in the refusal's log", async () => {
  expect(await call(secure(), withPair(await issueTo("operator")))).toBe("OK");
  expect(library.calls).toBe(1);
  expect(await call(secure(), withPair(await issueTo("edge")))).toBe("PermissionDenied");
  expect(logged).toMatchObject([
    { caller: "edge", reason: "CALLER_DENIED", rpc: "weft.events.v1.DeadLetterService/ListDeadLetters" },
  ]);
  expect(library.calls).toBe(1);
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
  ["expired", () => issue({ uris: [idOf("operator")] }, expired), /CERT_HAS_EXPIRED/],
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
    expect(library.calls).toBe(0);
  },
);

test("a peer that is not ours comes with its certificate, too: @grpc/grpc-js", async () => {
  const { certificate, key } = await issue({ uris: [idOf("operator")] });
  const at = await serve(
    workload("library", await issue({ uris: [idOf("library")], dnsNames: ["localhost"] })),
  );
  const [ca, k, c] = [root.certificate, key, certificate].map((pem) => Buffer.from(pem)) as [
    Buffer,
    Buffer,
    Buffer,
  ];
  const status = (credentials: grpcJs.ChannelCredentials) =>
    new Promise<number>((resolve) => {
      const caller = new grpcJs.Client(`127.0.0.1:${at}`, credentials, {
        "grpc.ssl_target_name_override": "localhost",
      });
      onTestFinished(() => caller.close());
      const bytes = (message: Buffer) => message;
      caller.makeUnaryRequest(path, bytes, bytes, Buffer.alloc(0), (error) => resolve(error?.code ?? 0));
    });
  expect(await status(grpcJs.credentials.createSsl(ca, k, c))).toBe(0);
  expect(await status(grpcJs.credentials.createSsl(ca))).toBe(16);
});

test("without a certificate, by TLS or in plaintext, a call is refused", async () => {
  expect(await call(secure())).toBe("Unauthenticated");
  expect(await call(`http://127.0.0.1:${port}`)).toBe("Unauthenticated");
  expect(logged).toMatchObject([{ reason: "WORKLOAD_MISSING" }, { reason: "WORKLOAD_MISSING" }]);
  expect(library.calls).toBe(0);
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
  expect(library.calls).toBe(0);
});

test("a name in x-weft-identity is not listened to", async () => {
  const headers = { "x-weft-identity": "operator" };
  expect(await call(`http://127.0.0.1:${direct}`, {}, headers)).toBe("PermissionDenied");
});

test("a certificate that expires during a connection ends its rights", async () => {
  const session = await client("operator", await issueTo("operator"), port);
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
    expect(await ask(withPair(await issueTo("operator")))).toBe(200);
    expect(library.calls).toBe(1);
    expect(await ask(withPair(await issueTo("edge")))).toBe(403);
    expect(await ask({})).toBe(401);
    expect(library.calls).toBe(1);
  },
);
