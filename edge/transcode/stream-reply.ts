import type { ServerResponse } from "node:http";
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { toBytes } from "./byte-text.ts";
import { statusJson } from "./error-reply.ts";
import { abortResponse, head } from "./exchange.ts";
import { JSON_TYPE, NDJSON_TYPE, SSE_TYPE } from "./media.ts";
import { MessageFrames } from "./message-frames.ts";
import { responseHeaders } from "./metadata.ts";
import { contentTypeOf } from "./renderer.ts";
import type { RestCall } from "./rest-call.ts";
import { Code, StatusError } from "./status.ts";
import type { Call, CallSink } from "./upstream-call.ts";
import { writeThrough } from "./write-through.ts";

/** How messages of a stream are put one after another. */
interface Framing {
  readonly contentType: string;
  first(json: string): string;
  next(json: string): string;
  /** The end of a stream that went well; `empty` when nothing was sent. */
  end(empty: boolean): string;
  /** What tells the client that the stream failed; undefined when only breaking off can. */
  failure: ((status: string) => string) | undefined;
}

const ndjsonLine = (json: string): string => `${json}\n`;
const sseEvent = (json: string): string => `data: ${json}\n\n`;
const FRAMINGS: Record<string, Framing> = {
  [JSON_TYPE]: {
    contentType: JSON_TYPE,
    first: (json) => `[${json}`,
    next: (json) => `,${json}`,
    end: (empty) => (empty ? "[]" : "]"),
    failure: undefined,
  },
  [NDJSON_TYPE]: {
    contentType: NDJSON_TYPE,
    first: ndjsonLine,
    next: ndjsonLine,
    end: () => "",
    failure: (status) => `{"error":${status}}\n`,
  },
  [SSE_TYPE]: {
    contentType: SSE_TYPE,
    first: sseEvent,
    next: sseEvent,
    end: () => "",
    failure: (status) => `event: error\ndata: ${status}\n\n`,
  },
};

/**
 * Passes the messages of a server stream on as they come. The response starts with the first message, so a
 * call that fails before has its proper status.
 * @param accepted media type chosen from Accept; undefined for raw bytes
 * @param call the upstream call, for backpressure; asked only after the sink was called
 */
export function streamSink(rest: RestCall, accepted: string | undefined, call: () => Call): CallSink {
  const { renderer } = rest.route;
  const { stream_envelope: envelope, max_response_bytes: limit } = rest.settings.options;
  const framing = accepted === undefined ? undefined : FRAMINGS[accepted]!;
  const envelopeKey = envelope && toBytes(`${JSON.stringify(envelope)}:`);
  const response = rest.response as ServerResponse;
  let metadata: IncomingHttpHeaders = {};
  let started = false;
  let over = false;
  const frames = new MessageFrames(limit, () => String(metadata["grpc-encoding"]));

  const begin = (contentType: string): void => {
    const headers: OutgoingHttpHeaders = {};
    responseHeaders(metadata, headers);
    headers["content-type"] = contentType;
    // An intermediary must neither keep an event stream nor collect it.
    if (contentType === SSE_TYPE) headers["cache-control"] ??= "no-cache";
    head(rest.response, 200, Object.assign(headers, rest.extraHeaders));
    started = true;
  };
  const put = writeThrough(response, call);
  const onMessage = (message: Buffer): void => {
    if (!framing) {
      const body = renderer.httpBody(message);
      if (!started) begin(contentTypeOf(body));
      return put(body.data);
    }
    const json = renderer.json(message);
    const item = envelopeKey ? `{${envelopeKey}${json}}` : json;
    const text = started ? framing.next(item) : framing.first(item);
    if (!started) begin(framing.contentType);
    put(text);
  };
  const fail = (reason: unknown, trailers: IncomingHttpHeaders): void => {
    over = true;
    if (!started) return rest.fail(reason, metadata, trailers);
    rest.error = StatusError.from(reason);
    if (!framing?.failure) return abortResponse(rest.request, rest.response);
    response.end(framing.failure(statusJson(rest.error, rest.settings.decoders)));
  };

  return {
    onHeaders(headers) {
      metadata = headers;
    },
    onData(chunk) {
      if (over) return;
      try {
        frames.push(chunk, onMessage);
      } catch (error) {
        fail(error, {});
        call().cancel();
      }
    },
    onEnd({ error, trailers }) {
      if (over) return;
      if (error) return fail(error, trailers);
      if (!frames.complete)
        return fail(new StatusError(Code.internal, "the upstream's stream ends within a message"), trailers);
      over = true;
      const empty = !started;
      if (empty) begin(framing?.contentType ?? "application/octet-stream");
      response.end(framing?.end(empty));
    },
  };
}
