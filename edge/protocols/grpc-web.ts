import type { ServerResponse } from "node:http";
import type { OutgoingHttpHeaders } from "node:http2";
import { readTimeout } from "../transcode/deadline.ts";
import { type HttpRequest, type HttpResponse, head, onClientGone } from "../transcode/exchange.ts";
import { essenceOf } from "../transcode/media.ts";
import { responseHeaders } from "../transcode/metadata.ts";
import { Code, StatusError } from "../transcode/status.ts";
import type { Call } from "../transcode/upstream-call.ts";
import { writeThrough } from "../transcode/write-through.ts";
import { Base64Stream } from "./base64-stream.ts";
import { FrameLimit } from "./frame-limit.ts";
import { copy, errorTrailers, grpcTrailers } from "./grpc-trailers.ts";
import { admitRpc, type ProtocolSettings, pipeRequest, type RpcCall } from "./rpc-call.ts";
import type { RpcMethod } from "./rpc-methods.ts";

const TRAILER_FLAG = 0x80;

/**
 * gRPC-Web, binary and text (gRPC doc PROTOCOL-WEB.md): gRPC's framing in both directions, the trailers as a
 * last frame; text is the same in base64.
 * @param rpc undefined for a path that names no RPC
 */
export function serveGrpcWeb(
  request: HttpRequest,
  response: HttpResponse,
  rpc: RpcMethod | undefined,
  settings: ProtocolSettings,
): void {
  const refuse = (error: StatusError): void => {
    request.resume();
    const { begin, end } = answer(request, response, error.headers);
    begin({});
    end(errorTrailers(error));
  };
  if (!rpc) {
    refuse(new StatusError(Code.unimplemented, "no such method"));
    return;
  }
  admitRpc({ request, response }, rpc, "grpc-web", settings, readTimeout, bridge, refuse);
}

function bridge(rpcCall: RpcCall): void {
  const { request, response, extraHeaders, metadata, maxRequestBytes } = rpcCall;
  copy(request.headers, ["grpc-encoding", "grpc-accept-encoding"], metadata);
  let call: Call | undefined;
  const { begin, data, end } = answer(request, response, extraHeaders, () => call!);
  call = rpcCall.start({
    onHeaders: (initial) => {
      const headers: OutgoingHttpHeaders = {};
      responseHeaders(initial, headers);
      copy(initial, ["grpc-encoding", "grpc-accept-encoding"], headers);
      begin(headers);
    },
    onData: data,
    onEnd: (outcome) => {
      if (!response.headersSent) begin({});
      end(grpcTrailers(outcome));
    },
  });
  let refused = false;
  const limit = maxRequestBytes === undefined ? undefined : new FrameLimit(maxRequestBytes);
  const base64 = isText(request) ? new Base64Stream() : undefined;
  pipeRequest(
    request,
    call,
    (chunk) => {
      const bytes = base64 ? base64.push(chunk) : chunk;
      return bytes && limit ? limit.pass(bytes) : bytes;
    },
    (error) => {
      if (refused) return;
      refused = true;
      if (!response.headersSent) begin({});
      end(errorTrailers(StatusError.from(error)));
    },
  );
  onClientGone(response, () => {
    refused = true;
  });
}

const isText = (request: HttpRequest): boolean =>
  essenceOf(request.headers["content-type"]).startsWith("application/grpc-web-text");

interface Answer {
  begin(headers: OutgoingHttpHeaders): void;
  data(chunk: Buffer): void;
  end(trailers: OutgoingHttpHeaders): void;
}

function answer(
  request: HttpRequest,
  response: HttpResponse,
  extraHeaders: OutgoingHttpHeaders,
  call?: () => Call,
): Answer {
  const text = isText(request);
  const write = call && writeThrough(response, call);
  const coded = (bytes: Buffer): Buffer => (text ? Buffer.from(bytes.toString("base64"), "latin1") : bytes);
  return {
    begin: (headers) => {
      const contentType = essenceOf(request.headers["content-type"]);
      head(response, 200, { ...headers, ...extraHeaders, "content-type": contentType });
    },
    data: (chunk) => write?.(coded(chunk)),
    end: (trailers) => {
      if (!response.writableEnded) (response as ServerResponse).end(coded(trailerFrame(trailers)));
    },
  };
}

function trailerFrame(trailers: OutgoingHttpHeaders): Buffer {
  const lines = Object.entries(trailers).flatMap(([name, value]) =>
    [value].flat().map((one) => `${name}: ${one}\r\n`),
  );
  const block = Buffer.from(lines.join(""), "latin1");
  const frame = Buffer.alloc(5 + block.length);
  frame[0] = TRAILER_FLAG;
  frame.writeUInt32BE(block.length, 1);
  block.copy(frame, 5);
  return frame;
}
