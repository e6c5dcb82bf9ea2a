/** A library with a port of its own that strangers, other services and forgers can reach, and ways to call it. */
import { once } from "node:events";
import { createServer } from "node:http";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import * as grpcJs from "@grpc/grpc-js";
import { onTestFinished } from "vitest";
import { identifyCallers } from "../../identity/identify-caller.ts";
import { audience, issuer, jwks } from "../../identity/testdata/forged-tokens.ts";
import { createUserVerifier } from "../../identity/user-token.ts";
import { libraryMethod } from "../../policy/testdata/library-method.ts";
import { frame } from "../grpc/message.ts";
import { serverTls } from "../mutual-tls.ts";
import { createRpcServer } from "../rpc-server.ts";
import { serverInterceptors } from "../server-interceptors.ts";
import { idOf, issue, issueTo, library, log, root, withPair, workload } from "./library-mesh.ts";

/** Readers may find books, when the edge asks for them. */
export const method = libraryMethod({
  access: { rule: { case: "roles", value: { anyOf: ["reader"] } } },
  callers: ["edge"],
});
export const path = `/${method.parent.typeName}/${method.name}`;
export const request = toBinary(method.input, create(method.input));

/** How often the keys of users' tokens were read. */
export const seen = { keyReads: 0 };
/** Seconds before which a user's tokens do not count, by user. */
export const voided = new Map<string, number>();
export let port: number;
/** The edge's certificate and key. */
export let edge: { cert: string; key: string };

/** Starts the library, its users' keys and the edge's certificate, before the tests of a file. */
export async function beAttacked(): Promise<() => Promise<void>> {
  const keys = createServer((_, response) => {
    seen.keyReads++;
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
}

/** A caller by @grpc/grpc-js: `call` gives the status. */
export function grpcCaller({ cert, key }: { cert: string; key: string }) {
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
export const withToken = (token: string) => metadataOf(["authorization", `Bearer ${token}`]);

/** A connection by hand; `pair` is the caller's certificate, if it shows one. */
export function connection(pair?: { cert: string; key: string }) {
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

export const grpc = (more: Record<string, string> = {}, at = path) => ({
  ":method": "POST",
  ":path": at,
  "content-type": "application/grpc",
  te: "trailers",
  ...more,
});
