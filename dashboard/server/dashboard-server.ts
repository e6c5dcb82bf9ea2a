/**
 * The dashboard's one port: its contract (Connect, gRPC, gRPC-Web), GET /ticks, mails, the page, and spans. Order:
 * who may talk at all (guard.ts) → headers of every answer → routes.
 */

import type { FileRegistry } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { fastifyConnectPlugin } from "@connectrpc/connect-fastify";
import { compressionGzip } from "@connectrpc/connect-node";
import { type FastifyInstance, fastify } from "fastify";
import { onePort } from "#mesh/runtime/rpc/one-port.ts";
import { validateRequests } from "#mesh/runtime/rpc/validate-requests.ts";
import { refusal } from "./guard.ts";

/** Largest request, in bytes. */
const bodyLimit = 4 * 1024 * 1024;

export async function createDashboardServer(options: {
  routes: (router: ConnectRouter) => void;
  types: FileRegistry;
  /** Told of each request: somebody looks. */
  onRequest: (path: string) => void;
  stopping: AbortSignal;
}): Promise<FastifyInstance> {
  const { routes, types, onRequest, stopping } = options;
  // Nothing is taken past Fastify: every request meets the guard.
  const server = fastify({ serverFactory: onePort(() => false), forceCloseConnections: true, bodyLimit });
  server.addHook("onRequest", async (request, reply) => {
    const path = request.url.split("?", 1)[0]!;
    const refused = refusal(request.method, path, request.headers);
    reply.header("x-content-type-options", "nosniff").header("referrer-policy", "no-referrer");
    reply.header("cross-origin-resource-policy", "same-origin");
    if (!refused) return onRequest(path);
    return reply.code(refused.status).send({ code: "permission_denied", message: refused.reason });
  });
  await server.register(fastifyConnectPlugin, {
    routes,
    interceptors: [validateRequests()],
    readMaxBytes: bodyLimit,
    compressMinBytes: 64 * 1024,
    acceptCompression: [compressionGzip],
    shutdownSignal: stopping,
    jsonOptions: { registry: types },
  });
  return server;
}
