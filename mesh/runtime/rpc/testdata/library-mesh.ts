/** A mesh of the test's own: an authority, workloads with its certificates, and a library that they call. */
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import { pino } from "pino";
import { onTestFinished } from "vitest";
import { DeadLetterService, ListDeadLettersRequestSchema } from "#gen/weft/events/v1/dead_letters_pb.ts";
import { createRoot, issueCertificate, type KeyPair, type Subject } from "#local/certificates.ts";
import { identifyCallers } from "../../identity/identify-caller.ts";
import { loadWorkload, type Workload } from "../../identity/workload.ts";
import { frame } from "../grpc/message.ts";
import { readStatus } from "../grpc/status.ts";
import { grpcTransport } from "../grpc/transport.ts";
import { serverTls, sessionsTo } from "../mutual-tls.ts";
import { createRpcServer } from "../rpc-server.ts";
import { serverInterceptors } from "../server-interceptors.ts";

const domain = { trustDomain: "weft.test", namespace: "default" };
export const idOf = (name: string) => `spiffe://weft.test/ns/default/sa/${name}`;
/** The method that is called: by the contract "operator" may, and nobody else. */
export const path = "/weft.events.v1.DeadLetterService/ListDeadLetters";
export const hour = 60 * 60 * 1_000;
export const now = Date.now();
export const valid = { notBefore: new Date(now - hour), notAfter: new Date(now + 24 * hour) };
export const expired = { notBefore: new Date(now - 3 * hour), notAfter: new Date(now - hour) };

/** The authority of the mesh, and one of the same name that nobody trusts. */
export const root = await createRoot("weft.test", valid);
export const strangers = await createRoot("weft.test", valid);

/** What has been logged. */
export const logged: Record<string, unknown>[] = [];
export const log = pino({ level: "warn" }, { write: (line) => void logged.push(JSON.parse(line)) });

/** What the library has done; while there is a gate its calls wait there. */
export const library: { calls: number; gate: Promise<void> | undefined } = { calls: 0, gate: undefined };

const folder = mkdtempSync(join(tmpdir(), "weft-tls-"));
const onStop: (() => unknown)[] = [];

/** Before each test. */
export function forget(): void {
  logged.length = 0;
  library.calls = 0;
  library.gate = undefined;
}

/** After all of them. */
export async function stopAll(): Promise<void> {
  for (const stop of onStop) await stop();
  rmSync(folder, { recursive: true });
}

export const issue = (subject: Subject, validity = valid, by = root) =>
  issueCertificate(by, subject, validity);
export const issueTo = (name: string) => issue({ uris: [idOf(name)] });
export const withPair = ({ certificate, key }: KeyPair) => ({ cert: certificate, key });

/** Writes the files of a workload; one that runs sees them when it looks. */
export function writeFiles(name: string, { certificate, key }: KeyPair, roots: string) {
  const file = (kind: string) => join(folder, `${name}.${kind}.pem`);
  writeFileSync(file("key"), key);
  writeFileSync(file("cert"), certificate);
  writeFileSync(file("roots"), roots);
  return { identityCertFile: file("cert"), identityKeyFile: file("key"), trustBundleFile: file("roots") };
}

export function workload(name: string, pair: KeyPair, roots = root.certificate): Workload {
  return loadWorkload(name, { mesh: "none", ...domain, ...writeFiles(name, pair, roots) }, log);
}

/** Serves the library as `own`, until `stopAll`; returns its port. */
export async function serve(own: Workload, directCalls = false): Promise<number> {
  const listDeadLetters = async () => {
    library.calls++;
    await library.gate;
    return { nextPageToken: "reached" };
  };
  const server = await createRpcServer({
    groups: [
      {
        routes: (router) => router.service(DeadLetterService, { listDeadLetters }),
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

/** A call by hand, as anybody can make one; returns the name of its code. */
export async function call(
  url: string,
  options: http2.SecureClientSessionOptions = {},
  headers: object = {},
): Promise<string | undefined> {
  const session = http2.connect(url, {
    checkServerIdentity: () => undefined,
    ca: root.certificate,
    ...options,
  });
  onTestFinished(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":path": path,
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

/** The runtime's own client, as the workload `name`, of the library at the port `at`. */
export async function client(name: string, pair: KeyPair, at: number, roots = root.certificate) {
  const own = workload(name, pair, roots);
  const sessions = sessionsTo("library", `http://127.0.0.1:${at}`, own, log);
  onTestFinished(() => {
    sessions.destroy();
    own.credentials?.close();
  });
  const transport = grpcTransport({ sessions, interceptors: [], readMaxBytes: 10_000 });
  const calls = createClient(DeadLetterService, transport);
  return { own, list: async () => (await calls.listDeadLetters({})).nextPageToken };
}
