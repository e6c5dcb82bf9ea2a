/** The gateways that are compared: what each does for a request, and how it is started. */
import { join } from "node:path";
import { freePort } from "#local/free-port.ts";
import { DESCRIPTORS } from "./contract/books.ts";
import { envoyCommand } from "./gateways/envoy.ts";
import { buildGrpcGateway } from "./gateways/grpc-gateway.ts";
import type { Identities } from "./identities.ts";
import { type ServerProcess, startServer } from "./processes.ts";

/** Where a contestant finds what it needs. */
export interface Surroundings {
  /** `http://HOST:PORT` of the library. */
  readonly upstream: string;
  readonly identities: Identities;
  /** Folder for logs and builds. */
  readonly folder: string;
}

export interface Contestant {
  readonly name: string;
  /** What it does for a request beside forwarding. */
  readonly does: string;
  /** Whether its replies are the JSON that the contract asks for. */
  readonly transcodes: boolean;
  /** @throws Missing when the machine lacks something */
  start(surroundings: Surroundings): Promise<ServerProcess>;
}

const node = (file: string): string[] => [process.execPath, join(import.meta.dirname, file)];

function nodeGateway(name: string, file: string, does: string, transcodes = true): Contestant {
  return {
    name,
    does,
    transcodes,
    start: async ({ upstream, identities }) =>
      startServer(node(file), await freePort(), { ...identities.env, UPSTREAM: upstream }),
  };
}

/**
 * Starts the gateway of the mesh with its own entry point and defaults, its log in a file.
 * @param nodeOptions for its process
 */
export async function startMeshEdge(
  { upstream, identities, folder }: Surroundings,
  nodeOptions: readonly string[] = [],
): Promise<ServerProcess> {
  const [program = "", ...file] = node("../../../edge/mesh.ts");
  const env = {
    ...identities.env,
    WEFT_DESCRIPTORS: DESCRIPTORS,
    WEFT_UPSTREAMS: `library=${upstream}`,
    NATS_URL: "nats://127.0.0.1:1",
  };
  const command = [program, ...nodeOptions, ...file];
  return startServer(command, await freePort(), env, join(folder, "edge.log"));
}

const edge: Contestant = {
  name: "weft edge",
  does: "JWT (cached), access rules, rate limit, load shedding, deadline, trace and request ids, access log to a file",
  transcodes: true,
  start: (surroundings) => startMeshEdge(surroundings),
};

const grpcGateway: Contestant = {
  name: "grpc-gateway",
  does: "deadline; no JWT, limits or log; GOMAXPROCS as it comes",
  transcodes: true,
  start: async ({ upstream, folder }) =>
    startServer([buildGrpcGateway(folder)], await freePort(), { UPSTREAM: upstream }),
};

function envoy(name: string, does: string, guarded: boolean): Contestant {
  return {
    name,
    does,
    transcodes: true,
    start: async (surroundings) => {
      const port = await freePort();
      return startServer(envoyCommand(surroundings, port, guarded), port, {});
    },
  };
}

export const contestants: readonly Contestant[] = [
  nodeGateway("relay (floor)", "gateways/relay.ts", "nothing: bytes through", false),
  edge,
  nodeGateway("Fastify + grpc-js", "gateways/fastify-grpc-js.ts", "JWT (cached), deadline"),
  nodeGateway("Fastify + connect-node", "gateways/fastify-connect.ts", "JWT (cached), deadline"),
  grpcGateway,
  envoy("Envoy", "timeout; no JWT, limits or log; one worker", false),
  envoy("Envoy + JWT + log", "JWT (cached), timeout, request id, access log to a file; one worker", true),
];
