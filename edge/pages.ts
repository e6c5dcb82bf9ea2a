import Fastify, { type FastifyInstance } from "fastify";
import { Code } from "./transcode/status.ts";

/**
 * What the edge answers itself: health, readiness, and 404 for everything else.
 * @param isReady whether calls can be taken now
 */
export async function healthPages(isReady: () => boolean): Promise<FastifyInstance> {
  const pages = Fastify({ logger: false, exposeHeadRoutes: true });
  pages.get("/healthz", () => ({ status: "ok" }));
  pages.get("/readyz", (_request, reply) => {
    const ready = isReady();
    return reply.code(ready ? 200 : 503).send({ status: ready ? "ready" : "not ready" });
  });
  pages.setNotFoundHandler((_request, reply) =>
    reply.code(404).send({ code: Code.notFound, message: "no such resource" }),
  );
  pages.setErrorHandler((_error, _request, reply) =>
    reply.code(400).send({ code: Code.invalidArgument, message: "malformed request" }),
  );
  await pages.ready();
  return pages;
}
