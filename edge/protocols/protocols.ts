import type { DescMethod, DescService, Registry } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as Idempotency } from "@bufbuild/protobuf/wkt";
import type { CallHooks } from "../transcode/admission.ts";
import { type HttpRequest, type HttpResponse, sendResponse } from "../transcode/exchange.ts";
import { essenceOf } from "../transcode/media.ts";
import { MessageDecoders } from "../transcode/message-decoder.ts";
import { MessageEncoders } from "../transcode/message-encoder.ts";
import { DEFAULT_OPTIONS } from "../transcode/options.ts";
import { Code, malformed, StatusError } from "../transcode/status.ts";
import type { StartCall } from "../transcode/upstream-call.ts";
import { connectCodec } from "./connect-codec.ts";
import { parseConnectGet } from "./connect-get.ts";
import { serveConnectStream } from "./connect-stream.ts";
import { postedMessage, sendConnectError, serveConnectUnary } from "./connect-unary.ts";
import { exposedServices } from "./exposed-contract.ts";
import { serveGrpc } from "./grpc.ts";
import { serveGrpcWeb } from "./grpc-web.ts";
import { addIntrospection } from "./introspection.ts";
import type { ProtocolSettings } from "./rpc-call.ts";
import { type RpcMethod, RpcMethods } from "./rpc-methods.ts";

export interface ProtocolsConfig extends CallHooks {
  readonly registry: Registry;
  /** Services to serve; all of the registry when absent. */
  readonly services?: readonly DescService[];
  /** Where calls to a service go; undefined leaves it out. */
  readonly upstreamFor: (service: DescService) => StartCall | undefined;
  /** Methods that do not exist for clients, reflection included. */
  readonly exposes?: (method: DescMethod) => boolean;
  /** Whether health says SERVING; always when absent. */
  readonly isReady?: () => boolean;
}

export interface Protocols {
  /** Serves a gRPC, gRPC-Web or Connect request; false for anything else, with the response untouched. */
  handle(request: HttpRequest, response: HttpResponse): boolean;
}

/** gRPC, gRPC-Web and Connect for the services of a contract, bridged to gRPC upstreams. */
export function createProtocols(config: ProtocolsConfig): Protocols {
  const all = config.services ?? [...config.registry].filter((type) => type.kind === "service");
  const exposes = config.exposes ?? (() => true);
  const served = all.filter((service) => config.upstreamFor(service) && service.methods.some(exposes));
  const methods = new RpcMethods();
  addIntrospection(methods, exposedServices(served, exposes), config.isReady ?? (() => true));
  for (const service of served) methods.add(service, config.upstreamFor(service)!, exposes);
  const settings: ProtocolSettings = {
    ...config,
    encoders: new MessageEncoders(config.registry),
    decoders: new MessageDecoders(config.registry, {
      protoNames: false,
      enumsAsInts: false,
      emitDefaults: false,
    }),
    maxMessageBytes: DEFAULT_OPTIONS.max_body_bytes,
    maxReplyBytes: DEFAULT_OPTIONS.max_response_bytes,
  };
  return { handle: (request, response) => handle(request, response, methods, settings) };
}

function handle(
  request: HttpRequest,
  response: HttpResponse,
  methods: RpcMethods,
  settings: ProtocolSettings,
): boolean {
  const url = request.url ?? "";
  const mark = url.indexOf("?");
  const path = mark < 0 ? url : url.slice(0, mark);
  const rpc = methods.find(path);
  if (request.method === "GET")
    return rpc !== undefined && connectGet(request, response, rpc, url.slice(path.length + 1), settings);
  if (request.method !== "POST") return false;
  const type = essenceOf(request.headers["content-type"]);
  if (/^application\/grpc-web(-text)?(\+proto)?$/.test(type)) {
    if (!rpc && !looksLikeRpc(path)) return false;
    serveGrpcWeb(request, response, rpc, settings);
    return true;
  }
  if (/^application\/grpc(\+[a-z]+)?$/.test(type)) return grpc(request, response, path, rpc, settings);
  const connect = /^application\/(connect\+)?(json|proto)$/.exec(type);
  if (!connect) return false;
  if (rpc) connectPost(request, response, rpc, connect[1] !== undefined, connect[2]!, settings);
  else if (isConnect(request, type) && methods.knowsService(path)) {
    const error = new StatusError(Code.unimplemented, "no such method", { httpStatus: 404 });
    sendConnectError(request, response, error);
  } else return false;
  return true;
}

/** A gRPC path has two parts, the first with a package: so REST paths keep their 415. */
const looksLikeRpc = (path: string): boolean => /^\/[A-Za-z_]\w*(\.[A-Za-z_]\w*)+\/[A-Za-z_]\w*$/.test(path);

function grpc(
  request: HttpRequest,
  response: HttpResponse,
  path: string,
  rpc: RpcMethod | undefined,
  settings: ProtocolSettings,
): boolean {
  if (request.httpVersionMajor < 2) {
    if (!rpc) return false;
    const body = JSON.stringify({ code: Code.invalidArgument, message: "gRPC needs HTTP/2" });
    const headers = {
      "content-type": "application/json",
      "accept-post": "application/json, application/grpc-web",
    };
    sendResponse(request, response, 415, headers, body);
    return true;
  }
  if (!rpc && !looksLikeRpc(path)) return false;
  serveGrpc(request, response, rpc, settings);
  return true;
}

const isConnect = (request: HttpRequest, type: string): boolean =>
  request.headers["connect-protocol-version"] !== undefined || type !== "application/json";

function connectPost(
  request: HttpRequest,
  response: HttpResponse,
  rpc: RpcMethod,
  streaming: boolean,
  encoding: string,
  settings: ProtocolSettings,
): void {
  const unary = rpc.method.methodKind === "unary";
  const version = request.headers["connect-protocol-version"];
  if (version !== undefined && version !== "1") {
    sendConnectError(request, response, malformed('connect-protocol-version: must be "1"'));
  } else if (unary === streaming) {
    const wanted = unary
      ? "application/json, application/proto"
      : "application/connect+json, application/connect+proto";
    const error = new StatusError(Code.invalidArgument, `Content-Type: this method takes ${wanted}`, {
      httpStatus: 415,
      headers: { "accept-post": wanted },
    });
    sendConnectError(request, response, error);
  } else {
    const codec = connectCodec(encoding, rpc.method, settings)!;
    if (streaming) serveConnectStream(request, response, rpc, codec, settings);
    else serveConnectUnary(request, response, rpc, codec, settings, postedMessage(request, response));
  }
}

/** Only methods without side effects may be called by GET (Connect protocol). */
function connectGet(
  request: HttpRequest,
  response: HttpResponse,
  rpc: RpcMethod,
  query: string,
  settings: ProtocolSettings,
): boolean {
  try {
    const get = parseConnectGet(query);
    if (!get) return false;
    if (rpc.method.methodKind !== "unary" || rpc.method.idempotency !== Idempotency.NO_SIDE_EFFECTS) {
      throw new StatusError(Code.unimplemented, "this method must be called by POST", {
        httpStatus: 405,
        headers: { allow: "POST" },
      });
    }
    const codec = connectCodec(get.encoding, rpc.method, settings);
    if (!codec) throw malformed("encoding: must be json or proto");
    serveConnectUnary(request, response, rpc, codec, settings, get.message);
  } catch (error) {
    sendConnectError(request, response, StatusError.from(error));
  }
  return true;
}
