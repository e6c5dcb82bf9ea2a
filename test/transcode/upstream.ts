import http2, { type IncomingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { behaviours, Failure, type Reply } from "./upstream-behaviour.ts";

/** One call as the upstream saw it. */
export interface RecordedCall {
  readonly rpc: string;
  /** Request messages as bytes. */
  readonly messages: Buffer[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly timeoutMs: number | null;
  cancelled: boolean;
}

export interface Upstream {
  readonly port: number;
  /** Oldest first; emptied by whoever compares. */
  readonly calls: RecordedCall[];
  close(): Promise<void>;
}

const UNIT_MS: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/**
 * A gRPC server that records every call. It speaks HTTP/2 directly because it must also send what libraries
 * do not: unnamed codes, broken details.
 */
export async function startUpstream(port = 0): Promise<Upstream> {
  const calls: RecordedCall[] = [];
  const sessions = new Set<ServerHttp2Session>();
  const server = http2.createServer();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => {}).once("close", () => sessions.delete(session));
  });
  server.on("stream", (stream, headers) => void serve(stream as ServerHttp2Stream, headers, calls));
  await new Promise<void>((resolve, reject) =>
    server.once("error", reject).listen(port, "127.0.0.1", resolve),
  );
  return {
    port: (server.address() as AddressInfo).port,
    calls,
    close: () => {
      for (const session of sessions) session.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function serve(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  calls: RecordedCall[],
): Promise<void> {
  stream.on("error", () => {});
  const rpc = String(headers[":path"]).slice(1);
  const call: RecordedCall = {
    rpc,
    messages: [],
    metadata: Object.fromEntries(
      Object.entries(headers).flatMap(([key, value]) => (key.startsWith(":") ? [] : [[key, String(value)]])),
    ),
    timeoutMs: timeoutOf(headers["grpc-timeout"]),
    cancelled: false,
  };
  calls.push(call);
  let ended = false;
  stream.once("close", () => {
    call.cancelled = !ended;
  });
  const reply = new StreamReply(stream);
  try {
    const behave = behaviours[rpc];
    if (!behave) throw new Failure(12, `no such method ${rpc}`);
    await behave({ call, reply, messages: messagesOf(stream, call) });
    ended = true;
    reply.end(0, "", {});
  } catch (error) {
    ended = error instanceof Failure;
    if (error instanceof Failure) reply.end(error.code, error.message, error.metadata);
    else reply.end(13, `upstream: ${(error as Error).message}`, {});
  }
}

function timeoutOf(text: string | string[] | undefined): number | null {
  const match = /^(\d{1,8})([HMSmun])$/.exec(String(text));
  return match ? Number(match[1]) * UNIT_MS[match[2]!]! : null;
}

async function* messagesOf(stream: ServerHttp2Stream, call: RecordedCall): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const message = rest.subarray(5, 5 + rest.readUInt32BE(1));
      rest = rest.subarray(5 + message.length);
      call.messages.push(message);
      yield message;
    }
  }
  if (rest.length > 0) throw new Failure(13, "the request ends within a message");
}

class StreamReply implements Reply {
  readonly #stream: ServerHttp2Stream;
  readonly headers: Record<string, string> = {};
  readonly trailers: Record<string, string> = {};
  #final: Record<string, string> = {};

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
  }

  open(): void {
    if (this.#stream.headersSent || this.#stream.destroyed) return;
    this.#stream.respond(
      { ":status": 200, "content-type": "application/grpc", ...this.headers },
      { waitForTrailers: true },
    );
    this.#stream.on("wantTrailers", () => this.#stream.sendTrailers(this.#final));
  }

  async send(message: Uint8Array): Promise<void> {
    this.open();
    if (this.#stream.destroyed) throw new Error("the call was cancelled");
    const frame = Buffer.alloc(5 + message.length);
    frame.writeUInt32BE(message.length, 1);
    frame.set(message, 5);
    if (this.#stream.write(frame)) return;
    await new Promise<void>((resolve) => {
      this.#stream.once("drain", resolve).once("close", resolve);
    });
  }

  end(code: number, message: string, metadata: Record<string, string>): void {
    if (this.#stream.destroyed) return;
    this.#final = { "grpc-status": String(code), ...metadata, ...this.trailers };
    if (message) this.#final["grpc-message"] = encodeURIComponent(message);
    if (!this.#stream.headersSent && code !== 0 && Object.keys(this.headers).length === 0) {
      this.#stream.respond(
        { ":status": 200, "content-type": "application/grpc", ...this.#final },
        { endStream: true },
      );
    } else {
      this.open();
      this.#stream.end();
    }
    this.#stream.resume();
  }
}
