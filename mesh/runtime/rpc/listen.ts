/** The server of a service: its calls, health, reflection and HTTP pages on one port. */
import type tls from "node:tls";
import type { DescService } from "@bufbuild/protobuf";
import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import { Health } from "#gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "#gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ServerReflectionAlpha } from "#gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { policyOf } from "../policy/method-policy.ts";
import type { HealthState } from "./health.ts";
import { reflectionOf } from "./reflection.ts";
import { createRpcServer } from "./rpc-server.ts";

/** Largest message a service accepts, in bytes after decompression. */
const readMaxBytes = 1024 * 1024;

/** Time that a call may take, with its request, which anybody can begin, in milliseconds. */
const openCallMs = 10_000;

/** Within one machine or zone the wire is cheaper than the CPU: compressing pays for long lists only. */
const compressMinBytes = 64 * 1024;

/** A server that listens. */
export interface Listening {
  readonly port: number;
  /** Refuses new connections and calls, lets those in flight finish. */
  close(): Promise<void>;
}

/**
 * @param options.interceptors apply to `routes` only; health and reflection are open to everyone who
 *   reaches the port, since probes and tools have no identity
 * @throws Error EADDRINUSE
 */
export async function listen(options: {
  host: string;
  port: number;
  /** Services that reflection tells of. */
  contracts: readonly DescService[];
  routes: (router: ConnectRouter) => void;
  interceptors: Interceptor[];
  health: HealthState;
  /** Answer of GET /metrics, in Prometheus' text format. */
  metrics: () => Promise<string>;
  /** Speaks TLS on the same port. Plaintext is served, too: interceptors refuse calls by it, pages have no need. */
  secure: tls.Server | undefined;
}): Promise<Listening> {
  const { contracts, routes, interceptors, health, metrics, secure } = options;
  const shutdown = new AbortController();
  const reflected = [...contracts, Health, ServerReflection, ServerReflectionAlpha];
  const server = await createRpcServer({
    groups: [
      { routes, interceptors, maxTimeoutMs: (method) => policyOf(method).timeoutMs },
      {
        interceptors: [],
        maxTimeoutMs: () => openCallMs,
        routes: (router) => {
          router.service(Health, health.service);
          router.service(ServerReflection, reflectionOf(reflected));
          router.service(ServerReflectionAlpha, reflectionOf(reflected));
        },
      },
    ],
    readMaxBytes,
    compressMinBytes,
    shutdownSignal: shutdown.signal,
    secure,
  });
  server.get("/healthz", () => ({ status: "ok" }));
  server.get("/readyz", (_request, reply) =>
    reply.code(health.ready ? 200 : 503).send({ ready: health.ready }),
  );
  server.get("/metrics", async (_request, reply) =>
    reply.type("text/plain; version=0.0.4; charset=utf-8").send(await metrics()),
  );

  await server.listen({ host: options.host, port: options.port });
  const address = server.server.address();
  return {
    port: typeof address === "object" && address ? address.port : options.port,
    async close() {
      const closing = server.close();
      shutdown.abort();
      await closing;
    },
  };
}
