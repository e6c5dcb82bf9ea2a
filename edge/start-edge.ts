/** The gateway of a mesh: what it knows of the services comes from the contract's descriptors. */
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import {
  createFileRegistry,
  type DescMethod,
  type DescService,
  type FileRegistry,
  fromBinary,
  hasOption,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { service as serviceOption } from "#gen/weft/policy/v1/policy_pb.ts";
import type { Config } from "#mesh/runtime/config.ts";
import { startDiscovery } from "#mesh/runtime/discovery/discovery.ts";
import { connectBus } from "#mesh/runtime/events/bus.ts";
import { observeCredentials } from "#mesh/runtime/identity/observe-credentials.ts";
import { followRevocations } from "#mesh/runtime/identity/revocations.ts";
import { createUserVerifier } from "#mesh/runtime/identity/user-token.ts";
import { loadWorkload } from "#mesh/runtime/identity/workload.ts";
import { isExposed } from "#mesh/runtime/policy/access.ts";
import { BreakerBoard } from "#mesh/runtime/policy/breaker-board.ts";
import { meshNameOf, policyOf } from "#mesh/runtime/policy/method-policy.ts";
import { fetchFromMesh } from "#mesh/runtime/rpc/fetch-from-mesh.ts";
import { sessionsTo } from "#mesh/runtime/rpc/mutual-tls.ts";
import { requestIdFrom } from "#mesh/runtime/telemetry/context.ts";
import { lineWriter } from "#mesh/runtime/telemetry/line-writer.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";
import { startTelemetry, type Telemetry } from "#mesh/runtime/telemetry/start-telemetry.ts";
import { gatewayServer } from "./gateway.ts";
import { openOperatorPort } from "./operator-port.ts";
import { edgePages } from "./pages.ts";
import { logCalls } from "./policies/access-log.ts";
import { admitCalls, meshSteps } from "./policies/admit-calls.ts";
import { edgeParts } from "./policies/edge-parts.ts";
import { statusOfReason } from "./policies/error-status.ts";
import { guardedCalls } from "./policies/guarded-calls.ts";
import { observedCalls, observeFinishedCalls } from "./policies/observe-calls.ts";
import { RequestMetrics } from "./policies/request-metrics.ts";
import { settingsFromEnv } from "./policies/settings.ts";
import { createProtocols } from "./protocols/protocols.ts";
import { inTurn } from "./transcode/admission.ts";
import { createTranscoder } from "./transcode/transcoder.ts";
import type { StartCall } from "./transcode/upstream-call.ts";
import { upstreamCalls } from "./upstream/calls.ts";
import type { Pool } from "./upstream/pool.ts";
import { poolTo } from "./upstream/pool-to.ts";
import { replicaCalls } from "./upstream/replica-calls.ts";

/** How long the start waits for what is known of revoked tokens, in milliseconds. */
const patienceMs = 1_000;

/** A gateway that serves. */
export interface RunningEdge {
  /** TCP port it listens on. */
  readonly port: number;
  /** Port of figures and probes; undefined where none was asked for. */
  readonly adminPort: number | undefined;
  /** Refuses new connections, lets calls in flight finish. */
  stop(): Promise<void>;
}

/**
 * Starts the gateway in this process.
 * @param observers take the place of the real ones where what those cost is measured
 * @throws Error when a setting or a rule of the contract is wrong, or the port is taken
 */
export async function startEdge(
  config: Config,
  observers: { telemetry?: Telemetry; requests?: RequestMetrics } = {},
): Promise<RunningEdge> {
  const log = createLogger("edge", config.logLevel);
  const settings = settingsFromEnv(config.env);
  const { telemetry = startTelemetry("edge", config.env, log), requests = new RequestMetrics() } = observers;
  const { tracer, metrics } = telemetry;
  metrics.add(() => requests.text());
  const workload = loadWorkload("edge", config, log);
  observeCredentials(metrics.meter, workload);
  const registry = readDescriptors(config.env.WEFT_DESCRIPTORS ?? "gen/descriptors.binpb");
  const services = [...registry]
    .filter((type) => type.kind === "service")
    .filter((type) => hasOption(type, serviceOption) && type.methods.some(isExposed));
  const bus = await connectBus({ url: config.natsUrl, service: "edge", log });
  const revocations = followRevocations(bus, log);
  const discovery = startDiscovery<Pool>({
    service: "edge",
    config,
    bus,
    log,
    open: (service, address) => poolTo(service, address, workload, log),
    openProbe: (service, address) => sessionsTo(service, address, workload, log),
  });
  const breakers = new BreakerBoard(log);
  const calls = new Map<string, StartCall>(
    services.map((service) => {
      const upstream = meshNameOf(service);
      const targets = replicaCalls(discovery.upstreams.to(upstream));
      const start = observedCalls(upstreamCalls(targets), service, upstream, metrics.clientCalls);
      return [service.typeName, guardedCalls(start, service, breakers, settings.retries)];
    }),
  );

  const verifyUser = createUserVerifier({
    jwksUrl: config.jwksUrl,
    issuer: config.tokenIssuer,
    audience: config.tokenAudience,
    revocations,
    fetch: config.jwksService ? fetchFromMesh(config.jwksService, workload, log) : undefined,
  });
  const parts = await edgeParts(settings, { natsUrl: config.natsUrl, log });
  const hooks = {
    admit: admitCalls(meshSteps({ name: workload.name, verifyUser, tracer, ...parts })),
    onFinish: inTurn(observeFinishedCalls(requests), logCalls(log, lineWriter())),
    requestId,
    clientAddress: parts.clientAddress,
  };
  const upstreamFor = (service: DescService) => calls.get(service.typeName);
  const exposes = (method: DescMethod) => isExposed(method);
  let draining = false;
  const isReady = () => !draining;
  const protocols = createProtocols({ registry, services, upstreamFor, exposes, isReady, ...hooks });
  const transcoder = createTranscoder({
    registry,
    services,
    upstreamFor,
    exposes,
    successStatus: (method) => policyOf(method).successStatus,
    cacheControl: (method) => policyOf(method).cacheControl,
    mapError: statusOfReason,
    ...hooks,
  });

  const openApi = readOpenApi(config.env.WEFT_OPENAPI);
  const { server, drain } = gatewayServer([protocols, transcoder], await edgePages({ isReady, openApi }), {
    limits: { requestTimeoutMs: settings.request_timeout_ms },
    everyRequest: parts.everyRequest,
    requests,
  });
  breakers.observe(metrics.meter);
  const admin =
    settings.admin_port === undefined
      ? undefined
      : await openOperatorPort(settings.admin_host, settings.admin_port, {
          config,
          workload,
          identity: { log, writeLine: lineWriter(), tracer, metrics: metrics.serverCalls, verifyUser },
          discovery,
          breakers,
          metrics: metrics.text,
        });
  // Without NATS there is nobody to hear of revoked tokens from; that must not keep the edge from starting.
  await Promise.race([revocations.loaded, sleep(patienceMs)]);
  server.listen({ port: config.port, host: config.host, reusePort: settings.share_port });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  admin?.setReady(true);
  if (admin) discovery.announce(admin.port);
  log.info({ port, routes: transcoder.routes.length }, "ready");
  return {
    port,
    adminPort: admin?.port,
    async stop() {
      draining = true;
      admin?.setReady(false);
      await discovery.withdraw();
      // Balancers see that the edge is not ready and send nobody new, before connections are refused.
      await sleep(settings.drain_delay_ms);
      await drain(settings.grace_ms);
      discovery.upstreams.destroy();
      await discovery.close();
      revocations.stop();
      await bus.close();
      await parts.close();
      workload.credentials?.close();
      await admin?.close();
      await telemetry.stop();
      log.info("stopped");
    },
  };
}

/** The client's own id where it sent a good one: what it logs and what we log can be joined. */
export function requestId(headers: IncomingHttpHeaders): string {
  const sent = headers["x-request-id"];
  return requestIdFrom(Array.isArray(sent) ? sent[0] : sent);
}

/** The document that is asked for, or the usual one: a contract with nothing open at the edge has none. */
function readOpenApi(file: string | undefined): string | undefined {
  const usual = "gen/openapi/openapi.json";
  return file === undefined && !existsSync(usual) ? undefined : readFileSync(file ?? usual, "utf8");
}

function readDescriptors(file: string): FileRegistry {
  return createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(file)));
}
