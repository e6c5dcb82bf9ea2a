import type { ServerResponse } from "node:http";
import type { OutgoingHttpHeaders } from "node:http2";
import { type HttpRequest, type HttpResponse, head } from "../transcode/exchange.ts";
import type { CallEnd } from "../transcode/grpc-status.ts";
import { frameMessage, MessageFrames } from "../transcode/message-frames.ts";
import { responseHeaders } from "../transcode/metadata.ts";
import { StatusError } from "../transcode/status.ts";
import type { Call } from "../transcode/upstream-call.ts";
import { writeThrough } from "../transcode/write-through.ts";
import type { ConnectCodec } from "./connect-codec.ts";
import { connectError, connectTimeout } from "./connect-error.ts";
import { admitRpc, type ProtocolSettings, pipeRequest, type RpcCall } from "./rpc-call.ts";
import type { RpcMethod } from "./rpc-methods.ts";

const END_STREAM_FLAG = 0x02;

/**
 * A streaming call of the Connect protocol, of any kind. Its envelopes are gRPC's frames; what differs is
 * the end, which is a last envelope with JSON.
 */
export function serveConnectStream(
  request: HttpRequest,
  response: HttpResponse,
  rpc: RpcMethod,
  codec: ConnectCodec,
  settings: ProtocolSettings,
): void {
  const refuse = (error: StatusError): void => {
    request.resume();
    begin(response, codec, error.headers);
    finish(response, { error, trailers: {} });
  };
  admitRpc(
    { request, response },
    rpc,
    "connect",
    settings,
    connectTimeout,
    (call) => bridge(call, codec),
    refuse,
  );
}

function bridge(rpcCall: RpcCall, codec: ConnectCodec): void {
  const { request, response, extraHeaders, settings } = rpcCall;
  let call: Call | undefined;
  let over = false;
  let encoding: string | undefined;
  const write = writeThrough(response, () => call!);
  const end = (outcome: CallEnd): void => {
    if (over) return;
    over = true;
    if (!response.headersSent) begin(response, codec, extraHeaders);
    finish(response, outcome);
  };
  const fail = (reason: unknown): void => end({ error: StatusError.from(reason), trailers: {} });
  const replies = new MessageFrames(settings.maxReplyBytes, () => encoding);
  call = rpcCall.start({
    onHeaders: (initial) => {
      encoding = String(initial["grpc-encoding"] ?? "");
      const headers: OutgoingHttpHeaders = {};
      responseHeaders(initial, headers);
      begin(response, codec, Object.assign(headers, extraHeaders));
    },
    onData: (chunk) => {
      if (over) return;
      try {
        replies.push(chunk, (message) => write(frameMessage(codec.reply(message))));
      } catch (error) {
        fail(error);
        call?.cancel();
      }
    },
    onEnd: end,
  });
  const largest = Math.min(settings.maxMessageBytes, rpcCall.maxRequestBytes ?? Number.POSITIVE_INFINITY);
  const requests = new MessageFrames(largest, () =>
    String(request.headers["connect-content-encoding"] ?? ""),
  );
  const convert = (chunk: Buffer): Buffer | undefined => {
    const frames: Buffer[] = [];
    requests.push(chunk, (message) => frames.push(codec.request(message)));
    return frames.length > 0 ? Buffer.concat(frames) : undefined;
  };
  pipeRequest(request, call, convert, fail);
}

function begin(response: HttpResponse, codec: ConnectCodec, headers: OutgoingHttpHeaders): void {
  head(response, 200, { ...headers, "content-type": `application/connect+${codec.name}` });
}

/** The last envelope: error and trailing metadata. */
function finish(response: HttpResponse, { error, trailers }: CallEnd): void {
  const metadata: OutgoingHttpHeaders = {};
  responseHeaders(trailers, metadata);
  const lists = Object.entries(metadata).map(([name, value]) => [name, [value].flat().map(String)]);
  const end = {
    ...(error && { error: connectError(error) }),
    ...(lists.length > 0 && { metadata: Object.fromEntries(lists) }),
  };
  const frame = frameMessage(Buffer.from(JSON.stringify(end)));
  frame[0] = END_STREAM_FLAG;
  if (!response.writableEnded) (response as ServerResponse).end(frame);
}
