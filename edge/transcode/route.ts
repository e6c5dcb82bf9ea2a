import type { DescMethod } from "@bufbuild/protobuf";
import { Binder } from "./binder.ts";
import type { Binding } from "./http-rules.ts";
import { JSON_TYPE, NDJSON_TYPE, SSE_TYPE } from "./media.ts";
import type { MessageDecoders } from "./message-decoder.ts";
import type { MessageEncoders } from "./message-encoder.ts";
import type { TranscoderOptions } from "./options.ts";
import type { PathTemplate } from "./path-template.ts";
import { Renderer } from "./renderer.ts";
import type { Routable } from "./router.ts";
import type { StartCall } from "./upstream-call.ts";

/** Everything about one binding that can be known before a request comes. */
export interface Route extends Routable {
  readonly httpMethod: string;
  readonly template: PathTemplate;
  readonly method: DescMethod;
  /** gRPC request path. */
  readonly rpcPath: string;
  readonly start: StartCall;
  readonly binder: Binder;
  readonly renderer: Renderer;
  /** Media types a reply can have, the default first; empty for raw replies, which take any Accept. */
  readonly offers: readonly string[];
  readonly clientStreams: boolean;
  readonly serverStreams: boolean;
  /** HTTP status of a unary success. */
  readonly successStatus: number;
  /** Cache-Control of a success whose upstream sent none. */
  readonly cacheControl: string | undefined;
}

export function compileRoute(
  binding: Binding,
  start: StartCall,
  encoders: MessageEncoders,
  decoders: MessageDecoders,
  options: TranscoderOptions,
  successStatus: number,
  cacheControl?: string,
): Route {
  const { method, httpMethod, template } = binding;
  const clientStreams = method.methodKind === "client_streaming";
  const serverStreams = method.methodKind === "server_streaming";
  const renderer = new Renderer(binding, decoders);
  return {
    httpMethod,
    template,
    method,
    rpcPath: `/${method.parent.typeName}/${method.name}`,
    start,
    binder: new Binder(binding, encoders, options),
    renderer,
    offers: renderer.raw ? [] : serverStreams ? [JSON_TYPE, NDJSON_TYPE, SSE_TYPE] : [JSON_TYPE],
    clientStreams,
    serverStreams,
    // HEAD would run an endless stream for nothing.
    headAllowed: method.methodKind === "unary",
    successStatus,
    cacheControl,
  };
}
