/** A gRPC upstream that answers as a test tells it to, try by try. */
import { once } from "node:events";
import http2, { type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { frameMessage } from "../transcode/message-frames.ts";

/** How one call is answered. */
export type Answer = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

export interface LibraryUpstream {
  readonly url: string;
  /** Headers of every call so far. */
  readonly calls: IncomingHttpHeaders[];
  /** Answers to the next calls; afterwards each call gets the book it asks for. */
  readonly answers: Answer[];
  stop(): Promise<void>;
}

/** An answer with headers and trailers in one, as gRPC servers fail before the first message. */
export function fails(code: number, trailers: Record<string, string> = {}): Answer {
  return (stream) => {
    stream.respond(
      { ":status": 200, "content-type": "application/grpc", "grpc-status": String(code), ...trailers },
      { endStream: true },
    );
  };
}

/** An answer that never comes. */
export const silent: Answer = () => {};

/** The same message back. */
export const succeeds: Answer = (stream) => {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("end", () => {
    // A reset stream ends, too.
    if (stream.destroyed) return;
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    const body = Buffer.concat(chunks);
    stream.end(body.length > 0 ? body : frameMessage(Buffer.alloc(0)));
  });
};

export async function startLibraryUpstream(): Promise<LibraryUpstream> {
  const calls: IncomingHttpHeaders[] = [];
  const answers: Answer[] = [];
  const sessions = new Set<http2.ServerHttp2Session>();
  const server = http2.createServer();
  server.on("session", (session: http2.ServerHttp2Session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    calls.push(headers);
    stream.on("error", () => {});
    (answers.shift() ?? succeeds)(stream, headers);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    answers,
    stop: () => {
      for (const session of sessions) session.destroy();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
