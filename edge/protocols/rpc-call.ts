import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { type CallHooks, type IncomingCall, whenAdmitted } from "../transcode/admission.ts";
import type { HttpRequest, HttpResponse } from "../transcode/exchange.ts";
import { onClientGone } from "../transcode/exchange.ts";
import type { MessageDecoders } from "../transcode/message-decoder.ts";
import type { MessageEncoders } from "../transcode/message-encoder.ts";
import { requestMetadata } from "../transcode/metadata.ts";
import { Code, StatusError } from "../transcode/status.ts";
import type { Call, CallSink } from "../transcode/upstream-call.ts";
import type { RpcMethod } from "./rpc-methods.ts";

export interface ProtocolSettings extends CallHooks {
  /** For Connect with JSON; the other protocols never look into messages. */
  readonly encoders: MessageEncoders;
  readonly decoders: MessageDecoders;
  /** Largest message of a request that must be held as a whole, in bytes. */
  readonly maxMessageBytes: number;
  /** The same for replies. */
  readonly maxReplyBytes: number;
}

/** An admitted call of any protocol of the gRPC family. */
export interface RpcCall {
  readonly request: HttpRequest;
  readonly response: HttpResponse;
  readonly rpc: RpcMethod;
  readonly settings: ProtocolSettings;
  readonly metadata: OutgoingHttpHeaders;
  /** Largest message of the request in bytes; undefined where the upstream's own limit is enough. */
  readonly maxRequestBytes: number | undefined;
  /** Headers every answer carries. */
  readonly extraHeaders: OutgoingHttpHeaders;
  /** Starts the upstream call; it is cancelled when the client goes away. */
  start(sink: CallSink): Call;
}

/**
 * Asks the host about a call and, when it may go on, runs `proceed`.
 * @param readTimeout milliseconds the client gives, from the protocol's own header
 * @param refuse answers with a failure in the protocol's own way
 */
export function admitRpc(
  exchange: { request: HttpRequest; response: HttpResponse },
  rpc: RpcMethod,
  protocol: IncomingCall["protocol"],
  settings: ProtocolSettings,
  readTimeout: (headers: IncomingHttpHeaders) => number | undefined,
  proceed: (call: RpcCall) => void,
  refuse: (error: StatusError) => void,
): void {
  const { request, response } = exchange;
  const { headers } = request;
  const incoming: IncomingCall = {
    method: rpc.method,
    protocol,
    httpMethod: request.method ?? "POST",
    path: request.url ?? "",
    route: undefined,
    headers,
    peer: settings.clientAddress ? settings.clientAddress(request) : request.socket?.remoteAddress,
    requestId: settings.requestId?.(headers) ?? randomUUID(),
    metadata: requestMetadata(request.rawHeaders, headers.connection),
  };
  whenAdmitted(
    incoming,
    settings,
    (admission) => {
      const started = performance.now();
      let end: StatusError | undefined;
      let call: Call | undefined;
      onClientGone(response, () => call?.cancel());
      response.once("close", () => {
        settings.onFinish?.(incoming, {
          code: end?.code ?? Code.ok,
          httpStatus: response.headersSent ? response.statusCode : 0,
          durationMs: performance.now() - started,
          error: end,
        });
      });
      try {
        const timeoutMs = smaller(readTimeout(headers), admission?.timeoutMs);
        if (timeoutMs === 0)
          throw new StatusError(Code.deadlineExceeded, "the deadline of the call has passed");
        proceed({
          request,
          response,
          rpc,
          settings,
          metadata: incoming.metadata,
          maxRequestBytes: admission?.maxRequestBytes,
          extraHeaders: admission?.responseHeaders ?? {},
          start: (sink) => {
            const path = `/${rpc.method.parent.typeName}/${rpc.method.name}`;
            call = rpc.start(path, incoming.metadata, timeoutMs, {
              onHeaders: (headers) => sink.onHeaders(headers),
              onData: (chunk) => sink.onData(chunk),
              onEnd: (outcome) => {
                end = outcome.error;
                sink.onEnd(outcome);
              },
            });
            return call;
          },
        });
      } catch (error) {
        end = StatusError.from(error);
        refuse(end);
      }
    },
    refuse,
  );
}

function smaller(a: number | undefined, b: number | undefined): number | undefined {
  return a !== undefined && b !== undefined ? Math.min(a, b) : (a ?? b);
}

/** Sends the request body on as it comes, at the pace of the upstream. */
export function pipeRequest(
  request: HttpRequest,
  call: Call,
  convert: (chunk: Buffer) => Buffer | undefined,
  fail: (error: unknown) => void,
): void {
  let over = false;
  const guarded = (step: () => void): void => {
    if (over) return;
    try {
      step();
    } catch (error) {
      over = true;
      fail(error);
      call.cancel();
    }
  };
  call.onDrain(() => request.resume());
  request.on("data", (chunk: Buffer) =>
    guarded(() => {
      const bytes = convert(chunk);
      if (bytes && !call.write(bytes)) request.pause();
    }),
  );
  request.on("end", () => guarded(() => call.end()));
}
