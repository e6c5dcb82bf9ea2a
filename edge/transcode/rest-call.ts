import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import type { IncomingCall, OnFinish } from "./admission.ts";
import { type ErrorReply, errorReply, type MapError } from "./error-reply.ts";
import {
  abortResponse,
  type BodyEncoding,
  type HttpRequest,
  type HttpResponse,
  sendResponse,
  wasCutOff,
} from "./exchange.ts";
import type { MessageDecoders } from "./message-decoder.ts";
import { responseHeaders } from "./metadata.ts";
import type { TranscoderOptions } from "./options.ts";
import type { Route } from "./route.ts";
import { Code, StatusError } from "./status.ts";
import type { Call, CallSink } from "./upstream-call.ts";

/** What all calls of a transcoder share. */
export interface RestSettings {
  readonly options: TranscoderOptions;
  readonly decoders: MessageDecoders;
  readonly mapError: MapError | undefined;
}

/** One request on its way through the transcoder: who asks, what for, and how to answer. */
export class RestCall {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly route: Route;
  readonly settings: RestSettings;
  readonly incoming: IncomingCall;
  /** Headers every answer carries. */
  readonly extraHeaders: OutgoingHttpHeaders;
  readonly timeoutMs: number | undefined;
  /** Largest body, or message of a client stream, in bytes after decompression. */
  readonly maxBodyBytes: number;
  readonly #started = performance.now();
  #call: Call | undefined;
  /** How it ended; set once. */
  error: StatusError | undefined;

  constructor(
    exchange: { request: HttpRequest; response: HttpResponse },
    route: Route,
    settings: RestSettings,
    incoming: IncomingCall,
    extraHeaders: OutgoingHttpHeaders,
    timeoutMs: number | undefined,
    maxBodyBytes: number,
    onFinish: OnFinish | undefined,
  ) {
    this.request = exchange.request;
    this.response = exchange.response;
    this.route = route;
    this.settings = settings;
    this.incoming = incoming;
    this.extraHeaders = extraHeaders;
    this.timeoutMs = timeoutMs;
    this.maxBodyBytes = maxBodyBytes;
    this.response.on("close", () => this.#closed(onFinish));
  }

  /** The response is complete, or the client went away before. */
  #closed(onFinish: OnFinish | undefined): void {
    const { response } = this;
    if (wasCutOff(response)) this.#call?.cancel();
    if (!onFinish) return;
    const gone = !response.headersSent;
    onFinish(this.incoming, {
      code: this.error?.code ?? (gone ? Code.cancelled : Code.ok),
      httpStatus: gone ? 0 : response.statusCode,
      durationMs: performance.now() - this.#started,
      error: this.error,
    });
  }

  /** Whether the client still waits. */
  get wanted(): boolean {
    return !this.response.destroyed && !(this.response as { closed?: boolean }).closed;
  }

  /** Starts the upstream call; it is cancelled when the client goes away. */
  start(sink: CallSink): Call {
    this.#call = this.route.start(this.route.rpcPath, this.incoming.metadata, this.timeoutMs, sink);
    return this.#call;
  }

  send(
    status: number,
    headers: OutgoingHttpHeaders,
    body: string | Buffer,
    encoding: BodyEncoding = "utf8",
  ): void {
    const { request, response, extraHeaders } = this;
    for (const name in extraHeaders) headers[name] = extraHeaders[name];
    sendResponse(request, response, status, headers, body, encoding);
  }

  /**
   * Answers with a failure, or breaks off when the answer has begun.
   * @param metadata initial metadata of the answer, where the upstream sent one
   * @param trailers metadata that came with the failure
   */
  fail(reason: unknown, metadata: IncomingHttpHeaders = {}, trailers: IncomingHttpHeaders = {}): void {
    this.error = StatusError.from(reason);
    if (this.response.headersSent) return abortResponse(this.request, this.response);
    const reply = this.errorReply(this.error);
    responseHeaders(metadata, reply.headers);
    for (const name of ["www-authenticate", "retry-after"]) {
      const value = trailers[name];
      if (typeof value === "string" && /^[\x20-\x7e]+$/.test(value)) reply.headers[name] = value;
    }
    responseHeaders(trailers, reply.headers, "trailer-");
    this.send(reply.status, reply.headers, reply.body);
  }

  errorReply(error: StatusError): ErrorReply {
    return errorReply(error, this.settings.decoders, this.settings.mapError);
  }
}
