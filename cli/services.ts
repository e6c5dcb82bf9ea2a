/** Where the services are, and clients that call them as the operator of the mesh. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { DescService } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import { system } from "#local/system.ts";
import { placesFor } from "#local/topology.ts";
import { readUpstreams } from "#mesh/runtime/config.ts";
import { fixedUpstreams } from "#mesh/runtime/discovery/upstreams.ts";
import { type IdentitySettings, loadWorkload, type Workload } from "#mesh/runtime/identity/workload.ts";
import { createClients } from "#mesh/runtime/rpc/clients.ts";
import { createLogger, type Logger } from "#mesh/runtime/telemetry/log.ts";
import { CommandFailed } from "./run-command-line.ts";

/** What every command that calls services says of it in its usage. */
export const servicesUsage = `The services are those of the local runner whose data is in --data DIR (default .weft), or, to call others, as the
environment says, like for a service: WEFT_UPSTREAMS (NAME=URL,...), WEFT_IDENTITY_CERT and WEFT_IDENTITY_KEY (of the
workload "operator"), WEFT_TRUST_BUNDLE, WEFT_TRUST_DOMAIN, WEFT_NAMESPACE.`;

/** Services that can be called. */
export interface Services {
  readonly names: readonly string[];
  /** Client of a contract that the service serves. */
  client<S extends DescService>(contract: S, name: string): Client<S>;
}

/** @throws CommandFailed when nothing runs there, or the operator's key cannot be read */
export async function findServices(dataDir: string, env: NodeJS.ProcessEnv): Promise<Services> {
  const { upstreams, ...settings } = env.WEFT_UPSTREAMS ? givenIn(env) : runningIn(resolve(dataDir));
  const log = createLogger("weft", "silent");
  const workload = operator(settings, log);
  const clients = createClients({ workload, upstreams: fixedUpstreams(upstreams, workload, log) });
  return { names: [...upstreams.keys()], client: (contract, name) => clients(contract, name) };
}

function operator(settings: IdentitySettings, log: Logger): Workload {
  try {
    return loadWorkload("operator", settings, log);
  } catch (error) {
    throw new CommandFailed(`the operator's certificate cannot be used: ${(error as Error).message}`);
  }
}

function givenIn(env: NodeJS.ProcessEnv) {
  const upstreams = readUpstreams(env.WEFT_UPSTREAMS ?? "");
  if (!upstreams) throw new CommandFailed("WEFT_UPSTREAMS must be NAME=URL,NAME=URL");
  const need = (name: string) => {
    const value = env[name];
    if (!value) throw new CommandFailed(`${name} is required where WEFT_UPSTREAMS is set`);
    return value;
  };
  return {
    upstreams,
    mesh: "none" as const,
    identityCertFile: need("WEFT_IDENTITY_CERT"),
    identityKeyFile: need("WEFT_IDENTITY_KEY"),
    trustBundleFile: need("WEFT_TRUST_BUNDLE"),
    trustDomain: env.WEFT_TRUST_DOMAIN ?? system.trustDomain,
    namespace: env.WEFT_NAMESPACE ?? "default",
  };
}

/** The lock of the runner tells where its edge is, and so by how much all ports are offset. */
function runningIn(dataDir: string) {
  const lock = join(dataDir, "runner.lock");
  if (!existsSync(lock))
    throw new CommandFailed(
      `nothing runs on the data in ${dataDir}: npm start, or name another folder by --data`,
    );
  const { url } = JSON.parse(readFileSync(lock, "utf8")) as { url: string };
  const places = placesFor(system, Number(new URL(url).port) - system.edge.port);
  const identity = join(dataDir, "identity");
  return {
    upstreams: new Map(system.services.map(({ name }) => [name, places.url(name)])),
    mesh: "none" as const,
    identityCertFile: join(identity, "operator.cert.pem"),
    identityKeyFile: join(identity, "operator.key.pem"),
    trustBundleFile: join(identity, "bundle.pem"),
    trustDomain: system.trustDomain,
    namespace: "default",
  };
}
