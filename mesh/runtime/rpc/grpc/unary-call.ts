/** One unary call on the stream that carries it. */
import http2, {
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from "node:http2";
import type { DescMethodUnary } from "@bufbuild/protobuf";
import { create, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  createContextKey,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { type Peer, peerKey, peerOf } from "../../identity/peer.ts";
import { boundStatus } from "../bound-status.ts";
import { type KeptDeadline, keptDeadline } from "../deadline.ts";
import { CallContext, CallValues } from "./call-context.ts";
import { CallHeaders } from "./call-headers.ts";
import { CallRequest } from "./call-request.ts";
import { sendTrailersWhenWanted } from "./call-streams.ts";
import { acceptedEncodings, acceptsGzip, compress, decompress, isKnownEncoding } from "./compression.ts";
import { addHeaders } from "./headers.ts";
import { frame, SingleMessage } from "./message.ts";
import { isEmpty, okTrailers, replyHeaders, usualHeaders } from "./reply-headers.ts";
import type { ServeUnaryOptions } from "./serve-unary.ts";
import { errorTrailers } from "./status.ts";
import { longestTimerMs, parseTimeout } from "./timeout.ts";
import type { UnaryMethod } from "./unary-methods.ts";

const { NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR } = http2.constants;

export type Invoke = (request: UnaryRequest) => Promise<UnaryResponse>;

/** The call that a request belongs to. */
export const callKey = createContextKey<{ handle: Invoke } | undefined>(undefined, { description: "call" });

const withTrailers = { waitForTrailers: true };

/** Why the signal of a call is aborted that ended well: whatever was begun on its behalf may stop. */
const complete = new ConnectError("the call is complete", Code.Canceled);

export class UnaryCall {
  readonly #stream: ServerHttp2Stream;
  readonly #received: IncomingHttpHeaders;
  readonly #target: UnaryMethod;
  readonly #options: ServeUnaryOptions;
  readonly #invokeAll: Invoke;
  readonly #body: SingleMessage;
  readonly #peer: Peer;
  readonly #responseHeader = CallHeaders.from();
  readonly #responseTrailer = CallHeaders.from();
  readonly #clock: KeptDeadline = { at: Number.POSITIVE_INFINITY, onCut: undefined };
  #abort: AbortController | undefined;
  #abortReason: ConnectError | undefined;
  #timer: NodeJS.Timeout | undefined;
  #trailers: OutgoingHttpHeaders | undefined;
  #requestEnded = false;
  #ended = false;

  constructor(
    stream: ServerHttp2Stream,
    received: IncomingHttpHeaders,
    target: UnaryMethod,
    options: ServeUnaryOptions,
    invoke: Invoke,
  ) {
    this.#stream = stream;
    this.#received = received;
    this.#target = target;
    this.#options = options;
    this.#invokeAll = invoke;
    this.#body = new SingleMessage(options.readMaxBytes);
    // Now: the stream forgets its session when it ends.
    this.#peer = peerOf(stream.session);
  }

  /** Looks at the headers; false when they end the call. */
  begin(): boolean {
    try {
      this.#startClock();
      this.#checkEncoding();
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #startClock(): void {
    const sent = this.#received["grpc-timeout"];
    const most = this.#options.maxTimeoutMs?.(this.#target.method) ?? Number.POSITIVE_INFINITY;
    const timeoutMs = sent === undefined ? most : Math.min(parseTimeout(String(sent)), most);
    if (timeoutMs === Number.POSITIVE_INFINITY) return;
    this.#clock.at = Date.now() + timeoutMs;
    this.#timer = setTimeout(() => this.#cancel(exceeded()), Math.min(timeoutMs, longestTimerMs));
  }

  #checkEncoding(): void {
    const encoding = this.#received["grpc-encoding"] as string | undefined;
    if (isKnownEncoding(encoding)) return;
    this.#responseHeader.set("grpc-accept-encoding", acceptedEncodings);
    throw new ConnectError(
      `unknown compression "${encoding}": supported encodings are ${acceptedEncodings}`,
      Code.Unimplemented,
    );
  }

  onData(chunk: Buffer): void {
    if (this.#ended) return;
    try {
      this.#body.push(chunk);
    } catch (error) {
      this.#fail(error);
    }
  }

  onEnd(): void {
    this.#requestEnded = true;
    // A stream that was reset ends, too, as if its peer had sent all: "close" follows and tells.
    if (!this.#ended && !this.#isGone) void this.#serve();
  }

  async #serve(): Promise<void> {
    try {
      const { method } = this.#target;
      const sent = this.#body.end(Code.InvalidArgument);
      if (!sent) throw new ConnectError("protocol error: no message in a unary call", Code.Unimplemented);
      const plain = decompress(sent, this.#received["grpc-encoding"] as string, this.#options.readMaxBytes);
      const request = parse(method, plain instanceof Promise ? await plain : plain);
      const reply = await this.#invoke(request);
      if (this.#ended) return;
      const bytes = toBinary(method.output, reply.message);
      const compressed =
        bytes.length >= this.#options.compressMinBytes &&
        acceptsGzip(this.#received["grpc-accept-encoding"] as string | undefined);
      this.#reply(reply, compressed ? frame(await compress(bytes), true) : frame(bytes), compressed);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Runs the interceptors and the handler. */
  #invoke(message: Message): Promise<UnaryResponse> {
    const { method } = this.#target;
    const contextValues = new CallValues().set(peerKey, this.#peer).set(callKey, this);
    if (this.#options.maxTimeoutMs) contextValues.set(keptDeadline, this.#clock);
    const received = this.#received;
    const request = new CallRequest({
      method,
      url: `${received[":scheme"]}://${received[":authority"] ?? received.host}${received[":path"]}`,
      header: CallHeaders.received(received),
      contextValues,
      message,
      call: this,
    });
    return this.#invokeAll(request);
  }

  /** Runs the handler alone. */
  async handle(request: UnaryRequest): Promise<UnaryResponse> {
    const { method, impl } = this.#target;
    const context = new CallContext(request, this.#clock, this.#responseHeader, this.#responseTrailer);
    return {
      stream: false,
      service: method.parent,
      method,
      message: create(method.output, await impl(request.message, context)),
      header: this.#responseHeader,
      trailer: this.#responseTrailer,
    };
  }

  #reply(reply: UnaryResponse, message: Buffer, compressed: boolean): void {
    if (this.#ended) return;
    const isUsual = isEmpty(reply.header) && !compressed;
    const trailers = isEmpty(reply.trailer) ? okTrailers : addHeaders(reply.trailer, {});
    if (trailers !== okTrailers) trailers["grpc-status"] = "0";
    this.#begin(
      isUsual ? usualHeaders() : replyHeaders(reply.header, compressed ? { "grpc-encoding": "gzip" } : {}),
      trailers,
    );
    this.#stream.end(message);
    this.#end(complete);
  }

  /** Ends the call with the status that stands for `reason`; the text of an unexpected error stays here. */
  #fail(reason: unknown): void {
    if (this.#ended) return;
    const error =
      reason instanceof ConnectError
        ? boundStatus(reason)
        : new ConnectError("internal error", Code.Internal, undefined, undefined, reason);
    if (this.#isGone) return this.#end(error);
    try {
      const trailers = errorTrailers(error, this.#responseTrailer);
      if (this.#requestEnded && !isEmpty(this.#responseHeader)) {
        this.#begin(replyHeaders(this.#responseHeader), trailers);
        this.#stream.end();
      } else {
        this.#stream.respond(replyHeaders(this.#responseHeader, trailers), { endStream: true });
      }
    } catch {
      // Headers that HTTP/2 does not allow: the status must go out whatever the handler has set.
      if (!this.#stream.headersSent && !this.#isGone) {
        const status = { "grpc-status": String(Code.Internal) };
        this.#stream.respond(replyHeaders(CallHeaders.from(), status), { endStream: true });
      }
    }
    this.#end(error);
  }

  #begin(headers: OutgoingHttpHeaders | readonly string[], trailers: OutgoingHttpHeaders): void {
    this.#trailers = trailers;
    sendTrailersWhenWanted(this.#stream);
    this.#stream.respond(headers, withTrailers);
  }

  sendTrailers(): void {
    try {
      this.#stream.sendTrailers(this.#trailers as OutgoingHttpHeaders);
    } catch {
      this.#stream.close(NGHTTP2_INTERNAL_ERROR);
    }
  }

  /** The caller does not wait any longer: because it said so, or because its time is over. */
  #cancel(reason: ConnectError): void {
    if (this.#ended) return;
    this.#clock.onCut?.(reason);
    this.#fail(reason);
  }

  /** Nothing can be said any more: node:http2 throws at whoever tries. */
  get #isGone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  /** Of the call; made when asked for. */
  get signal(): AbortSignal {
    if (!this.#abort) {
      this.#abort = new AbortController();
      if (this.#abortReason) this.#abort.abort(this.#abortReason);
    }
    return this.#abort.signal;
  }

  onClose(): void {
    if (!this.#ended) this.#cancel(new ConnectError("the caller is gone", Code.Canceled));
  }

  #end(reason: ConnectError): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#abortReason = reason;
    this.#abort?.abort(reason);
    if (this.#requestEnded || this.#stream.destroyed) return;
    // Nobody reads what is still coming: once the answer has left, the peer may stop sending (RFC 9113 section 8.1).
    this.#stream.resume();
    this.#stream.once("finish", () => setImmediate(() => this.#stream.close(NGHTTP2_NO_ERROR)));
  }
}

function parse(method: DescMethodUnary, bytes: Uint8Array): Message {
  try {
    return fromBinary(method.input, bytes);
  } catch (error) {
    throw new ConnectError(`parse binary: ${(error as Error).message}`, Code.Internal);
  }
}

function exceeded(): ConnectError {
  return new ConnectError("the deadline has passed", Code.DeadlineExceeded);
}
