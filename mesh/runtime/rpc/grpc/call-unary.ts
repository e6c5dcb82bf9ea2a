/** Unary gRPC calls straight through node:http2 streams, with the interceptors of Connect's API. */
import http2, {
  type ClientHttp2Stream,
  type Http2Session,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http2";
import { create, type DescMethodUnary, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  createContextValues,
  type Interceptor,
  type Transport,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { brokenStream, neverLeft, wasNeverProcessed } from "./broken-stream.ts";
import { CallHeaders } from "./call-headers.ts";
import { CallRequest } from "./call-request.ts";
import { acceptedEncodings, compress, decompress, isKnownEncoding } from "./compression.ts";
import { addHeaders, isGrpcProto } from "./headers.ts";
import { frame, SingleMessage } from "./message.ts";
import { readStatus } from "./status.ts";
import { deadlineOf, formatTimeout, longestTimerMs } from "./timeout.ts";
import { pathOf } from "./unary-methods.ts";

const { NGHTTP2_CANCEL } = http2.constants;

/** Times a call may look for a replica that takes it. */
const mostAttempts = 3;

/** Opens HTTP/2 streams to one upstream. */
export interface StreamSource {
  readonly origin: string;
  /** Replicas that a stream may go to. */
  readonly size: number;
  request(headers: OutgoingHttpHeaders): ClientHttp2Stream;
}

export interface CallUnaryOptions {
  readonly sessions: StreamSource;
  readonly interceptors: readonly Interceptor[];
  readonly readMaxBytes: number;
  readonly compressMinBytes: number;
}

/** `unary` of a Transport. */
export function callUnary(options: CallUnaryOptions): Transport["unary"] {
  const { sessions, interceptors } = options;
  const compresses = Number.isFinite(options.compressMinBytes);
  return async (method, signal, timeoutMs, headers, input, contextValues) => {
    const clock = new CallClock(signal, timeoutMs);
    const header = CallHeaders.from(headers);
    header.set("content-type", "application/grpc+proto");
    header.set("te", "trailers");
    header.set("grpc-accept-encoding", acceptedEncodings);
    if (!header.has("user-agent")) header.set("user-agent", "grpc-node-weft");
    if (compresses) header.set("grpc-encoding", "gzip");
    if (timeoutMs !== undefined && timeoutMs > 0) header.set("grpc-timeout", formatTimeout(timeoutMs));
    const request = new CallRequest({
      method: method as DescMethodUnary,
      url: sessions.origin + pathOf(method),
      header,
      contextValues: contextValues ?? createContextValues(),
      message: create(method.input, input) as Message,
      call: clock,
    });
    // An interceptor may have put another signal in place of the call's own.
    let next = (sent: UnaryRequest) => send(sent, sent === request ? clock : sent.signal, options);
    for (let i = interceptors.length - 1; i >= 0; i--) {
      next = (interceptors[i] as Interceptor)(next as never) as typeof next;
    }
    try {
      const reply = await next(request);
      clock.stop();
      return reply as never;
    } catch (error) {
      throw clock.fail(error);
    }
  };
}

/** Why the signal of a call is aborted that ended well. */
const complete = new ConnectError("the call is complete", Code.Canceled);

/** The end of one call: by the caller's signal, by the timeout, or by itself. Its signal is made when asked for. */
class CallClock {
  /** Called when the call is aborted. */
  onAbort: (() => void) | undefined;
  reason: unknown;
  #aborted = false;
  #abort: AbortController | undefined;
  readonly #outer: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #onOuter = () => this.#end(this.#outer?.reason);

  constructor(outer: AbortSignal | undefined, timeoutMs: number | undefined) {
    this.#outer = outer;
    if (outer?.aborted) this.#end(outer.reason);
    else outer?.addEventListener("abort", this.#onOuter);
    if (timeoutMs !== undefined && timeoutMs > 0) {
      this.#timer = setTimeout(() => this.#end(timedOut()), Math.min(timeoutMs, longestTimerMs));
    }
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#aborted) this.#abort.abort(this.reason);
    return this.#abort.signal;
  }

  stop(): void {
    this.onAbort = undefined;
    this.#over(complete);
  }

  /** The error to throw: what the call was aborted with goes before what that led to. */
  fail(error: unknown): ConnectError {
    const status = this.#aborted ? ConnectError.from(this.reason, Code.Canceled) : ConnectError.from(error);
    this.#over(status);
    return status;
  }

  #over(reason: ConnectError): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#onOuter);
    this.#end(reason);
  }

  #end(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.reason = reason;
    this.#abort?.abort(reason);
    this.onAbort?.();
  }
}

/** Sends a request whose interceptors have run. */
async function send(
  request: UnaryRequest,
  end: CallClock | AbortSignal,
  options: CallUnaryOptions,
): Promise<UnaryResponse> {
  const method = request.method as DescMethodUnary;
  const bytes = toBinary(method.input, request.message);
  const compressed = bytes.length >= options.compressMinBytes;
  const body = compressed ? frame(await compress(bytes), true) : frame(bytes);
  if (end.aborted) throw end.reason;
  const headers = addHeaders(request.header, { ":method": "POST", ":path": pathOf(method) });
  const exchange = new Exchange(options, headers, body, end, deadlineOf(request.header));
  const { received, trailers, message } = await exchange.reply;
  return {
    stream: false,
    service: method.parent,
    method,
    header: CallHeaders.received(received),
    trailer: CallHeaders.received(trailers),
    message: parse(
      method,
      await decompress(message, received["grpc-encoding"] as string, options.readMaxBytes),
    ),
  };
}

interface Reply {
  readonly received: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly message: { bytes: Uint8Array; compressed: boolean };
}

/** One request and its reply on the wire. */
class Exchange {
  readonly reply: Promise<Reply>;
  readonly #options: CallUnaryOptions;
  readonly #headers: OutgoingHttpHeaders;
  readonly #body: Buffer;
  readonly #end: CallClock | AbortSignal;
  readonly #deadline: number;
  readonly #message: SingleMessage;
  readonly #onAbort = () => this.#cancel();
  #resolve!: (reply: Reply) => void;
  #reject!: (error: unknown) => void;
  #stream!: ClientHttp2Stream;
  #session: Http2Session | undefined;
  #received: (IncomingHttpHeaders & { ":status"?: number }) | undefined;
  #trailers: IncomingHttpHeaders | undefined;
  /** The body of an answer that is not gRPC is nobody's. */
  #isGrpc = false;
  #error: Error | undefined;
  #attempts = 0;
  #done = false;

  constructor(
    options: CallUnaryOptions,
    headers: OutgoingHttpHeaders,
    body: Buffer,
    end: CallClock | AbortSignal,
    deadline: number,
  ) {
    this.#options = options;
    this.#headers = headers;
    this.#body = body;
    this.#end = end;
    this.#deadline = deadline;
    this.#message = new SingleMessage(options.readMaxBytes);
    this.reply = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (end instanceof CallClock) end.onAbort = this.#onAbort;
    else end.addEventListener("abort", this.#onAbort);
    this.#open();
  }

  #open(): void {
    this.#attempts++;
    let stream: ClientHttp2Stream;
    try {
      stream = this.#options.sessions.request(this.#headers);
    } catch (error) {
      const known = (error as NodeJS.ErrnoException).code?.startsWith("ERR_HTTP2_INVALID_HEADER");
      this.#fail(ConnectError.from(error, known ? Code.Internal : Code.Unavailable));
      return;
    }
    this.#stream = stream;
    this.#session = stream.session;
    stream.on("response", (headers) => {
      this.#received = headers;
      this.#isGrpc = headers[":status"] === 200 && isGrpcProto(headers["content-type"]);
    });
    stream.on("data", (chunk: Buffer) => this.#onData(chunk));
    stream.on("trailers", (trailers) => {
      this.#trailers = trailers;
    });
    stream.on("end", () => this.#onEnd());
    stream.on("error", (error) => {
      this.#error = error;
    });
    stream.on("close", () => this.#onClose());
    stream.end(this.#body);
  }

  #onData(chunk: Buffer): void {
    if (this.#done || !this.#isGrpc) return;
    try {
      this.#message.push(chunk);
    } catch (error) {
      this.#fail(error);
      this.#stream.close(NGHTTP2_CANCEL);
    }
  }

  #onEnd(): void {
    // A stream that was reset ends too; its "close" tells.
    if (this.#done || !this.#received || this.#stream.rstCode !== 0) return;
    try {
      this.#finish(this.#received);
    } catch (error) {
      this.#fail(error);
    }
  }

  #finish(received: IncomingHttpHeaders & { ":status"?: number }): void {
    const httpStatus = received[":status"] ?? 0;
    const encoding = received["grpc-encoding"] as string | undefined;
    if (httpStatus === 200) {
      if (!this.#isGrpc) {
        throw new ConnectError(`unsupported content type ${received["content-type"]}`, Code.Unknown);
      }
      if (!isKnownEncoding(encoding)) {
        throw new ConnectError(`unsupported response encoding "${encoding}"`, Code.Internal);
      }
    }
    const message = this.#message.end(Code.Internal);
    // Without a body the headers are the trailers; with one they say nothing about how the call ended.
    const trailers = this.#trailers ?? (message ? {} : received);
    const status = readStatus(trailers, httpStatus, trailers === received ? undefined : received);
    if (status) throw status;
    if (!message) {
      throw new ConnectError("protocol error: no message in the reply to a unary call", Code.Unimplemented);
    }
    this.#settle();
    this.#resolve({ received, trailers, message });
  }

  #onClose(): void {
    if (this.#done) return;
    const { rstCode } = this.#stream;
    if (this.#attempts < mostAttempts && !this.#received && this.#mayGoAgain(rstCode)) {
      this.#error = undefined;
      this.#open();
      return;
    }
    if (this.#received && rstCode === 0 && !this.#error) this.#onEnd();
    else this.#fail(this.#brokenBy(rstCode));
  }

  #mayGoAgain(rstCode: number): boolean {
    return (
      (this.#attempts === 1 && wasNeverProcessed(rstCode, this.#error)) ||
      neverLeft(this.#session, this.#options.sessions.size)
    );
  }

  #brokenBy(rstCode: number): ConnectError {
    const status = brokenStream(rstCode, this.#error, this.#session?.destroyed === true);
    // The server's clock struck first, and it reset the stream.
    return status.code === Code.Canceled && Date.now() >= this.#deadline ? timedOut() : status;
  }

  #cancel(): void {
    this.#fail(this.#end.reason);
    this.#stream?.close(NGHTTP2_CANCEL);
  }

  #fail(error: unknown): void {
    if (this.#done) return;
    this.#settle();
    this.#reject(error);
  }

  #settle(): void {
    this.#done = true;
    if (this.#end instanceof CallClock) this.#end.onAbort = undefined;
    else this.#end.removeEventListener("abort", this.#onAbort);
    // The answer came before the request had left; nobody wants the rest.
    const stream = this.#stream as ClientHttp2Stream | undefined;
    if (stream && !stream.writableFinished && this.#received) stream.close(NGHTTP2_CANCEL);
  }
}

function parse(method: DescMethodUnary, bytes: Uint8Array): Message {
  try {
    return fromBinary(method.output, bytes);
  } catch (error) {
    throw new ConnectError(`parse binary: ${(error as Error).message}`, Code.Internal);
  }
}

function timedOut(): ConnectError {
  return new ConnectError("the deadline has passed", Code.DeadlineExceeded);
}
