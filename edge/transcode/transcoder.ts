import { randomUUID } from "node:crypto";
import type { OutgoingHttpHeaders } from "node:http2";
import type { DescMethod, DescService, Registry } from "@bufbuild/protobuf";
import type { HttpRule } from "#gen/google/api/http_pb.ts";
import { type Admission, type CallHooks, type IncomingCall, whenAdmitted } from "./admission.ts";
import { readTimeout } from "./deadline.ts";
import { errorReply, type MapError } from "./error-reply.ts";
import { type HttpRequest, type HttpResponse, sendResponse } from "./exchange.ts";
import { collectBindings } from "./http-rules.ts";
import { MessageDecoders } from "./message-decoder.ts";
import { MessageEncoders } from "./message-encoder.ts";
import { requestMetadata } from "./metadata.ts";
import { DEFAULT_OPTIONS, type TranscoderOptions } from "./options.ts";
import { parseTarget } from "./request-target.ts";
import { RestCall, type RestSettings } from "./rest-call.ts";
import { compileRoute, type Route } from "./route.ts";
import { Router } from "./router.ts";
import { serveCall } from "./serve-call.ts";
import { Code, StatusError } from "./status.ts";
import { withErrorDetails } from "./type-registry.ts";
import type { StartCall } from "./upstream-call.ts";

export interface TranscoderConfig extends CallHooks {
  /** Every type of the contract; details of errors and values of Any are looked up here. */
  readonly registry: Registry;
  /** Services with HTTP rules; all of the registry when absent. */
  readonly services?: readonly DescService[];
  /** Service configuration; overrides annotations. See `parseServiceConfig`. */
  readonly httpRules?: readonly HttpRule[];
  readonly options?: TranscoderOptions;
  /** Where calls to a service go; undefined leaves its routes out. */
  readonly upstreamFor: (service: DescService) => StartCall | undefined;
  /** Methods that have no routes, as if they were not in the contract. */
  readonly exposes?: (method: DescMethod) => boolean;
  /** HTTP status of a unary success; 200 when undefined. */
  readonly successStatus?: (method: DescMethod, httpMethod: string) => number | undefined;
  /** Cache-Control of a successful GET whose upstream sent none. */
  readonly cacheControl?: (method: DescMethod) => string | undefined;
  readonly mapError?: MapError;
}

export interface Transcoder {
  /**
   * Serves a request if a rule matches its path, with whatever method; otherwise returns false and has not
   * touched the response.
   */
  handle(request: HttpRequest, response: HttpResponse): boolean;
  /** Every route, for documentation and tests. */
  readonly routes: readonly Route[];
}

/**
 * Compiles the HTTP rules of a contract into a request handler for node:http and node:http2.
 * @throws Error naming selector, path or field of a rule that must be refused
 */
export function createTranscoder(config: TranscoderConfig): Transcoder {
  const options = config.options ?? DEFAULT_OPTIONS;
  const registry = withErrorDetails(config.registry);
  const services = config.services ?? [...config.registry].filter((type) => type.kind === "service");
  const encoders = new MessageEncoders(registry);
  const decoders = new MessageDecoders(registry, {
    protoNames: options.preserve_proto_field_names,
    enumsAsInts: options.enums_as_ints,
    emitDefaults: options.emit_defaults,
  });
  const router = new Router<Route>();
  const routes: Route[] = [];
  for (const binding of collectBindings(services, config.httpRules ?? [])) {
    const { method, httpMethod, template } = binding;
    const start = config.upstreamFor(method.parent);
    if (!start || config.exposes?.(method) === false) continue;
    const status = config.successStatus?.(method, httpMethod) ?? 200;
    const cacheControl = httpMethod === "GET" ? config.cacheControl?.(method) : undefined;
    const route = compileRoute(binding, start, encoders, decoders, options, status, cacheControl);
    const owner = router.add(route);
    if (owner) {
      const names = [owner, route].map((one) => `${one.method.parent.typeName}.${one.method.name}`);
      throw new Error(
        `http rule for "${names[1]}": ${httpMethod} "${template.source}" is already bound to "${names[0]}"`,
      );
    }
    routes.push(route);
  }
  const settings: RestSettings = { options, decoders, mapError: config.mapError };
  return { routes, handle: (request, response) => handle(request, response, router, settings, config) };
}

function handle(
  request: HttpRequest,
  response: HttpResponse,
  router: Router<Route>,
  settings: RestSettings,
  hooks: CallHooks,
): boolean {
  try {
    const target = parseTarget(request.url ?? "/", settings.options.max_url_bytes);
    const method = request.method ?? "GET";
    const match = router.find(method, target.path);
    if (match.kind === "none") return false;
    if (match.kind === "found" && method !== "TRACE") {
      const { route, segments } = match;
      const incoming = describeCall(request, route, target.path, hooks);
      whenAdmitted(
        incoming,
        hooks,
        (admission) =>
          begin({ request, response }, route, segments, target.query, settings, incoming, admission, hooks),
        (error) => sendError(request, response, error, settings),
      );
      return true;
    }
    const allow = match.kind === "wrong-method" ? match.allow.join(", ") : "OPTIONS";
    if (method === "OPTIONS") sendResponse(request, response, 204, { allow }, "");
    else
      throw new StatusError(Code.unimplemented, `${method} is not allowed here`, {
        httpStatus: 405,
        headers: { allow },
      });
  } catch (error) {
    sendError(request, response, error, settings);
  }
  return true;
}

function describeCall(request: HttpRequest, route: Route, path: string, hooks: CallHooks): IncomingCall {
  const { headers } = request;
  const named = hooks.requestId?.(headers);
  return {
    method: route.method,
    protocol: "rest",
    httpMethod: request.method ?? "GET",
    path,
    route: route.template.source,
    headers,
    peer: hooks.clientAddress ? hooks.clientAddress(request) : request.socket?.remoteAddress,
    requestId: named ?? (hooks.admit || hooks.onFinish ? randomUUID() : ""),
    metadata: requestMetadata(request.rawHeaders, headers.connection),
  };
}

function begin(
  exchange: { request: HttpRequest; response: HttpResponse },
  route: Route,
  segments: readonly string[],
  query: string,
  settings: RestSettings,
  incoming: IncomingCall,
  admission: Admission | undefined,
  hooks: CallHooks,
): void {
  const extra: OutgoingHttpHeaders = admission?.responseHeaders ?? {};
  let asked: number | undefined;
  let timeoutError: unknown;
  try {
    asked = readTimeout(exchange.request.headers);
  } catch (error) {
    timeoutError = error;
  }
  const most = admission?.timeoutMs;
  const timeoutMs = asked !== undefined && most !== undefined ? Math.min(asked, most) : (asked ?? most);
  const maxBodyBytes = Math.min(
    settings.options.max_body_bytes,
    admission?.maxRequestBytes ?? Number.POSITIVE_INFINITY,
  );
  const { onFinish } = hooks;
  const call = new RestCall(exchange, route, settings, incoming, extra, timeoutMs, maxBodyBytes, onFinish);
  if (timeoutError) call.fail(timeoutError);
  else serveCall(call, segments, query);
}

function sendError(
  request: HttpRequest,
  response: HttpResponse,
  reason: unknown,
  settings: RestSettings,
): void {
  const { status, headers, body } = errorReply(
    StatusError.from(reason),
    settings.decoders,
    settings.mapError,
  );
  sendResponse(request, response, status, headers, body);
}
