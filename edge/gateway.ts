import type { IncomingMessage, ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import { type EdgeLimits, type EdgePort, edgePort } from "./edge-port.ts";
import type { EveryRequest } from "./policies/every-response.ts";
import type { RequestMetrics } from "./policies/request-metrics.ts";
import { checkRequest } from "./request-checks.ts";
import type { HttpRequest, HttpResponse } from "./transcode/exchange.ts";
import { sendResponse } from "./transcode/exchange.ts";
import { Code, httpStatusOf, StatusError } from "./transcode/status.ts";

/** What serves requests, in the order it is asked: the first that takes a request answers it. */
export interface RequestHandler {
  handle(request: HttpRequest, response: HttpResponse): boolean;
}

/**
 * The edge's one port. Order: headers of every response, CORS → what no request may have → protocols of the
 * gRPC family → REST routes → pages (Fastify), which also answer 404.
 * @param pages a ready Fastify instance; its own server stays unused
 * @param options.requests counts requests that are no calls
 */
export function gatewayServer(
  handlers: readonly RequestHandler[],
  pages: FastifyInstance,
  options: { limits?: EdgeLimits; everyRequest?: EveryRequest; requests?: RequestMetrics } = {},
): EdgePort {
  const { limits, everyRequest, requests } = options;
  const serve = (request: HttpRequest, response: HttpResponse): void => {
    if (everyRequest?.(request, response)) return;
    try {
      checkRequest(request.method ?? "", request.httpVersion, request.rawHeaders);
    } catch (error) {
      return sendStatus(request, response, StatusError.from(error));
    }
    for (const handler of handlers) if (handler.handle(request, response)) return;
    if (requests) countPage(requests, request, response);
    pages.routing(request as IncomingMessage, response as ServerResponse);
  };
  return edgePort({ onRequest: serve, onHttp2Request: serve, errorBody: unparsedBody }, limits);
}

/** What is no call is seldom, so that it may cost a listener. */
function countPage(requests: RequestMetrics, request: HttpRequest, response: HttpResponse): void {
  const began = performance.now();
  response.once("close", () => {
    const status = response.headersSent ? response.statusCode : 0;
    requests.ofPages(request.method ?? "").record(status, performance.now() - began);
  });
}

function sendStatus(request: HttpRequest, response: HttpResponse, error: StatusError): void {
  const headers = { "content-type": "application/json", ...error.headers };
  sendResponse(
    request,
    response,
    error.httpStatus ?? httpStatusOf(error.code),
    headers,
    statusBody(error.code, error.message),
  );
}

/** Body of an answer to what is no request for a handler. */
function unparsedBody(httpStatus: number, message: string): string {
  return statusBody(httpStatus === 405 ? Code.unimplemented : Code.invalidArgument, message);
}

/** google.rpc.Status as JSON. */
const statusBody = (code: number, message: string): string => JSON.stringify({ code, message });
