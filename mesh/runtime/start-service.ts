import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { type ConnectRouter, createRouterTransport, type Interceptor } from "@connectrpc/connect";
import { DeadLetterService } from "#gen/weft/events/v1/dead_letters_pb.ts";
import { MeshService } from "#gen/weft/mesh/v1/mesh_pb.ts";
import type { Config } from "./config.ts";
import { startDiscovery } from "./discovery/discovery.ts";
import { meshRpc } from "./discovery/mesh-service.ts";
import { connectBus } from "./events/bus.ts";
import { readersOf, startConsumers } from "./events/consumers.ts";
import { deadLetterRpc } from "./events/dead-letter-service.ts";
import { observeEvents } from "./events/observe.ts";
import { startOutboxRelay } from "./events/relay.ts";
import { followFaults } from "./faults/fault-list.ts";
import { pruneReplies, replyPruning } from "./idempotency/stored-replies.ts";
import { identifyCallers } from "./identity/identify-caller.ts";
import { observeCredentials } from "./identity/observe-credentials.ts";
import { peerKey } from "./identity/peer.ts";
import { announceRevocation, followRevocations } from "./identity/revocations.ts";
import { createUserVerifier } from "./identity/user-token.ts";
import { loadWorkload } from "./identity/workload.ts";
import { BreakerBoard } from "./policy/breaker-board.ts";
import { meshNameOf } from "./policy/method-policy.ts";
import { createClients, type LocalTransports } from "./rpc/clients.ts";
import { fetchFromMesh } from "./rpc/fetch-from-mesh.ts";
import { createHealth } from "./rpc/health.ts";
import { listen } from "./rpc/listen.ts";
import { serverTls, sessionsTo } from "./rpc/mutual-tls.ts";
import { keyedMethods } from "./rpc/require-key.ts";
import { serverInterceptors } from "./rpc/server-interceptors.ts";
import { ServerLoad } from "./rpc/server-load.ts";
import type { ServiceDefinition } from "./service.ts";
import { openDatabase } from "./storage/database.ts";
import { lineWriter } from "./telemetry/line-writer.ts";
import { createLogger } from "./telemetry/log.ts";
import { startTelemetry } from "./telemetry/start-telemetry.ts";

/** How long a start waits for what is known of revoked tokens, in milliseconds. */
const patienceMs = 1_000;

/** A service that serves. */
export interface RunningService {
  readonly name: string;
  /** TCP port it listens on. */
  readonly port: number;
  /** Finishes what is under way and lets go of everything, within about 10 s. */
  stop(): Promise<void>;
}

/**
 * Starts a service in this process.
 *
 * @param local filled with a transport to this service and consulted for its own calls
 * @throws Error when a setting is missing, the database cannot be migrated or the port is taken
 */
export async function startService(
  definition: ServiceDefinition,
  config: Config,
  local: LocalTransports = new Map(),
): Promise<RunningService> {
  const name = meshNameOf(definition.contract);
  const versions = [definition.contract, ...(definition.otherVersions ?? [])];
  const log = createLogger(name, config.logLevel);
  if (!config.databaseUrl) throw new Error("configuration: DATABASE_URL: is required");
  const telemetry = startTelemetry(name, config.env, log);
  const { tracer, metrics } = telemetry;
  const { meter } = metrics;

  const workload = loadWorkload(name, config, log);
  observeCredentials(meter, workload);
  const orm = await openDatabase(config.databaseUrl, definition.storage, log, meter);
  const bus = await connectBus({ url: config.natsUrl, service: name, log });
  const open = (upstream: string, address: string) => sessionsTo(upstream, address, workload, log);
  const discovery = startDiscovery({ service: name, config, bus, log, open, openProbe: open });
  const breakers = new BreakerBoard(log);
  const clients = createClients({
    workload,
    upstreams: discovery.upstreams,
    local,
    metrics: metrics.clientCalls,
    breakers,
  });
  const composition = definition.compose({
    orm,
    clients,
    log,
    meter,
    tracer,
    announceRevocation: (revocation) => announceRevocation(bus, revocation, config.streamReplicas),
    env: config.env,
  });
  const workers = [...(composition.workers ?? [])];
  if (versions.flatMap(keyedMethods).length > 0) {
    await pruneReplies(orm); // now, so that a service without the table does not start
    workers.push(replyPruning(orm, log));
  }
  if (composition.seed && config.seedFile) {
    await composition.seed(JSON.parse(await readFile(config.seedFile, "utf8")));
  }

  const revocations = followRevocations(bus, log);
  const load = new ServerLoad(config.shedLateMs);
  load.observe(meter);
  breakers.observe(meter);
  const faults = config.faults ? followFaults(bus, log) : undefined;
  const interceptors = serverInterceptors({
    log,
    faults,
    writeLine: lineWriter(),
    tracer,
    metrics: metrics.serverCalls,
    identifyCaller: identifyCallers(workload),
    verifyUser: createUserVerifier({
      jwksUrl: config.jwksUrl,
      issuer: config.tokenIssuer,
      audience: config.tokenAudience,
      revocations,
      fetch: config.jwksService ? fetchFromMesh(config.jwksService, workload, log) : undefined,
    }),
    directCalls: config.directCalls,
    load,
  });
  const handlers = [...(composition.consumers ?? [])];
  const readers = readersOf({ service: name, orm, handlers, log, tracer });
  const contracts = [...versions, MeshService, ...(readers.length > 0 ? [DeadLetterService] : [])];
  const routes = (router: ConnectRouter) => {
    composition.routes(router);
    router.service(MeshService, meshRpc({ service: name, config, workload, discovery, breakers, load }));
    if (readers.length > 0) router.service(DeadLetterService, deadLetterRpc({ orm, log, readers }));
  };
  local.set(name, (caller, clientSide) =>
    createRouterTransport(routes, {
      transport: { interceptors: clientSide },
      router: { interceptors: [calledBy(caller), ...interceptors] },
    }),
  );
  const health = createHealth(contracts.map(({ typeName }) => typeName));
  // Without NATS there is nobody to hear of revoked tokens from; that must not keep a service from starting.
  await Promise.race([revocations.loaded, pause(patienceMs)]);
  const server = await listen({
    host: config.host,
    port: config.port,
    contracts,
    routes,
    interceptors,
    health,
    metrics: metrics.text,
    secure: serverTls(workload, log),
  });

  // After the server: an event or a worker may lead to calls that come back here.
  const stream = { replicas: config.streamReplicas };
  const relay = startOutboxRelay({ orm, bus, events: [...definition.emits], log, meter, tracer, stream });
  const consumers = startConsumers({
    service: name,
    orm,
    bus,
    handlers,
    log,
    meter,
    tracer,
  });
  observeEvents(meter, { orm, bus, consumers: consumers.consumers });
  for (const worker of workers) worker.start();
  health.setReady(true);
  discovery.announce(server.port);
  log.info({ port: server.port }, "ready");

  return {
    name,
    port: server.port,
    async stop() {
      health.setReady(false); // balancers look away before anything closes
      await discovery.withdraw(); // callers do, too: no new calls once they have heard of it
      await consumers.stop(); // no new events
      await server.close(); // no new calls; those in flight finish
      load.stop();
      await Promise.all(workers.map((worker) => worker.stop()));
      await relay.stop(); // what was recorded until now may leave
      await discovery.close();
      revocations.stop();
      faults?.stop();
      await bus.close();
      await orm.close();
      workload.credentials?.close();
      await telemetry.stop(); // last: all of the above may have ended spans
      log.info("stopped");
    },
  };
}

/** Says who calls within the process, where no connection does. */
function calledBy(name: string): Interceptor {
  return (next) => (request) => {
    request.contextValues.set(peerKey, { kind: "proved", name, validUntil: Number.POSITIVE_INFINITY });
    return next(request);
  };
}
