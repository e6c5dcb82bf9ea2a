/** The edge's second port, for whoever runs it: health, figures, and weft.mesh.v1.MeshService, as services have them. */
import type { ConnectRouter } from "@connectrpc/connect";
import { MeshService } from "#gen/weft/mesh/v1/mesh_pb.ts";
import type { Config } from "#mesh/runtime/config.ts";
import type { Discovery } from "#mesh/runtime/discovery/discovery.ts";
import type { Connections } from "#mesh/runtime/discovery/endpoint.ts";
import { meshRpc } from "#mesh/runtime/discovery/mesh-service.ts";
import { identifyCallers } from "#mesh/runtime/identity/identify-caller.ts";
import type { Workload } from "#mesh/runtime/identity/workload.ts";
import type { BreakerBoard } from "#mesh/runtime/policy/breaker-board.ts";
import { createHealth } from "#mesh/runtime/rpc/health.ts";
import { listen } from "#mesh/runtime/rpc/listen.ts";
import { serverTls } from "#mesh/runtime/rpc/mutual-tls.ts";
import { type ServerIdentity, serverInterceptors } from "#mesh/runtime/rpc/server-interceptors.ts";
import { ServerLoad } from "#mesh/runtime/rpc/server-load.ts";

export interface OperatorPort {
  readonly port: number;
  setReady(ready: boolean): void;
  close(): Promise<void>;
}

/**
 * Unlike the edge's port it must not be reached from outside.
 * @throws Error EADDRINUSE
 */
export async function openOperatorPort(
  host: string,
  port: number,
  parts: {
    config: Config;
    workload: Workload;
    identity: Omit<ServerIdentity, "directCalls" | "identifyCaller">;
    discovery: Discovery<Connections>;
    breakers: BreakerBoard;
    metrics: () => Promise<string>;
  },
): Promise<OperatorPort> {
  const { config, workload, identity, discovery, breakers, metrics } = parts;
  const load = new ServerLoad(0);
  const health = createHealth([MeshService.typeName]);
  const rpc = meshRpc({ service: "edge", config, workload, discovery, breakers, load });
  const server = await listen({
    host,
    port,
    contracts: [MeshService],
    routes: (router: ConnectRouter) => router.service(MeshService, rpc),
    interceptors: serverInterceptors({
      ...identity,
      identifyCaller: identifyCallers(workload),
      load,
      directCalls: false,
    }),
    health,
    metrics,
    secure: serverTls(workload, identity.log),
  });
  return {
    port: server.port,
    setReady: (ready) => health.setReady(ready),
    close: () => server.close(),
  };
}
