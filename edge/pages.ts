import type { OutgoingHttpHeaders } from "node:http2";
import apiReference from "@scalar/fastify-api-reference";
import Fastify, { type FastifyInstance } from "fastify";
import { addPreset } from "./transcode/exchange.ts";
import { Code } from "./transcode/status.ts";

/**
 * What the page at /docs may do: run its own script and styles, call this edge, and nothing beyond it, so that
 * it works offline and tells nobody else that it was read.
 */
const docsPolicy = [
  "default-src 'none'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");

/**
 * What the edge answers itself: health, readiness, the API's description with a page to try it, and 404 for
 * everything else.
 * @param options.isReady whether calls can be taken now
 * @param options.openApi an OpenAPI document as JSON; without one there is neither /openapi.json nor /docs
 */
export async function edgePages(options: {
  isReady: () => boolean;
  openApi?: string;
}): Promise<FastifyInstance> {
  const pages = Fastify({ logger: false, exposeHeadRoutes: true });
  pages.addHook("onSend", async (_request, reply) => {
    const headers = reply.getHeaders() as OutgoingHttpHeaders;
    addPreset(reply.raw, headers);
    reply.headers(headers as Record<string, string>);
  });
  pages.get("/healthz", () => ({ status: "ok" }));
  pages.get("/readyz", (_request, reply) => {
    const ready = options.isReady();
    return reply.code(ready ? 200 : 503).send({ status: ready ? "ready" : "not ready" });
  });
  if (options.openApi !== undefined) await describeApi(pages, options.openApi);
  pages.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ code: Code.notFound, message: "no such resource" }),
  );
  pages.setErrorHandler((_error, _request, reply) =>
    reply.code(400).send({ code: Code.invalidArgument, message: "malformed request" }),
  );
  await pages.ready();
  return pages;
}

async function describeApi(pages: FastifyInstance, openApi: string): Promise<void> {
  pages.get("/openapi.json", (_request, reply) =>
    reply.type("application/json").header("cache-control", "no-cache").send(openApi),
  );
  await pages.register(async (docs) => {
    docs.addHook("onSend", async (_request, reply) => {
      reply.header("content-security-policy", docsPolicy);
    });
    await docs.register(apiReference, {
      routePrefix: "/docs",
      configuration: {
        url: "/openapi.json",
        withDefaultFonts: false,
        telemetry: false,
        hideClientButton: true,
        // Its items share and deploy by services of others, which this page cannot reach.
        showDeveloperTools: "never",
        agent: { disabled: true },
        mcp: { disabled: true },
      },
    });
  });
}
