/** A gRPC server that counts, and a client, both on bare HTTP/2. */
import { once } from "node:events";
import { connect, createServer, type SecureClientSessionOptions, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import type { Answer } from "../one-policy/enforcer.ts";

const EMPTY_MESSAGE = Buffer.alloc(5);

export interface CountingServer {
  readonly port: number;
  /** Calls by path. */
  readonly calls: Map<string, number>;
  /** What the next call gets. */
  answer: () => Answer;
  stop(): void;
}

export async function startCountingServer(): Promise<CountingServer> {
  const server = createServer();
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => sessions.add(session));
  const counting: CountingServer = {
    port: 0,
    calls: new Map(),
    answer: () => 0,
    stop() {
      for (const session of sessions) session.destroy();
      server.close();
    },
  };
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    const path = String(headers[":path"]);
    counting.calls.set(path, (counting.calls.get(path) ?? 0) + 1);
    stream.on("error", () => {});
    stream.resume();
    const answer = counting.answer();
    if (answer === "silent") return;
    const status = { ":status": 200, "content-type": "application/grpc" };
    if (answer !== 0) {
      stream.respond({ ...status, "grpc-status": String(answer) }, { endStream: true });
      return;
    }
    stream.respond(status, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(EMPTY_MESSAGE);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(counting, { port: (server.address() as AddressInfo).port });
}

/**
 * Makes one call with one empty message.
 * @param options.seconds deadline; none by default
 * @param options.authorization the header of this name; none by default
 * @returns its gRPC status
 * @throws Error when there is no connection, as after a failed handshake
 */
export function call(
  url: string,
  path: string,
  {
    tls = {},
    seconds,
    authorization,
  }: { tls?: SecureClientSessionOptions; seconds?: number; authorization?: string } = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const session = connect(url, { ...tls, checkServerIdentity: () => undefined });
    session.on("error", reject);
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      ...(seconds !== undefined && { "grpc-timeout": `${seconds}S` }),
      ...(authorization !== undefined && { authorization }),
    });
    let status: string | undefined;
    const note = (headers: Record<string, unknown>) => {
      if (headers["grpc-status"] !== undefined) status = String(headers["grpc-status"]);
    };
    stream.on("response", note);
    stream.on("trailers", note);
    stream.on("error", reject);
    stream.on("close", () => {
      session.close();
      if (status === undefined) reject(new Error("the call ended without a status"));
      else resolve(Number(status));
    });
    stream.resume();
    stream.end(EMPTY_MESSAGE);
  });
}
