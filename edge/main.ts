import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type DescService, hasOption } from "@bufbuild/protobuf";
import { service as serviceOption } from "#gen/weft/policy/v1/policy_pb.ts";
import { BreakerBoard } from "#mesh/runtime/policy/breaker-board.ts";
import { lineWriter } from "#mesh/runtime/telemetry/line-writer.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";
import { startTelemetry, type Telemetry } from "#mesh/runtime/telemetry/start-telemetry.ts";
import { openAdminPort } from "./admin-port.ts";
import { parseArguments } from "./cli.ts";
import { gatewayServer } from "./gateway.ts";
import { edgePages } from "./pages.ts";
import { logCalls } from "./policies/access-log.ts";
import { admitCalls, plainSteps } from "./policies/admit-calls.ts";
import { type EdgeParts, edgeParts } from "./policies/edge-parts.ts";
import { guardedCalls } from "./policies/guarded-calls.ts";
import { observedCalls, observeFinishedCalls } from "./policies/observe-calls.ts";
import { RequestMetrics } from "./policies/request-metrics.ts";
import type { EdgeSettings } from "./policies/settings.ts";
import { createProtocols } from "./protocols/protocols.ts";
import { type CallHooks, inTurn } from "./transcode/admission.ts";
import { createTranscoder } from "./transcode/transcoder.ts";
import type { StartCall } from "./transcode/upstream-call.ts";
import { upstreamCalls } from "./upstream/calls.ts";
import { Pool } from "./upstream/pool.ts";

/** Milliseconds open calls get to finish after SIGTERM, unless the policies say otherwise. */
const GRACE_MS = 8_000;

const log = createLogger("edge", process.env.LOG_LEVEL);
const breakers = new BreakerBoard(log);

try {
  await run();
} catch (error) {
  console.error(`edge: ${(error as Error).message}`);
  process.exit(1);
}

async function run(): Promise<void> {
  const { registry, upstreams, httpRules, options, policies, port, host } = parseArguments(
    process.argv.slice(2),
  );
  const parts = policies && (await edgeParts(policies, { natsUrl: process.env.NATS_URL, log }));
  const telemetry = policies && startTelemetry("edge", process.env, log);
  const requests = telemetry && new RequestMetrics();
  const pools = new Map<string, Pool>();
  const calls = new Map<string, StartCall>();
  const upstreamFor = (service: DescService): StartCall | undefined => {
    const url = upstreams.get(service.typeName) ?? upstreams.get("*");
    if (!url) return undefined;
    if (!pools.has(url)) pools.set(url, new Pool(url));
    if (!calls.has(service.typeName))
      calls.set(service.typeName, callsTo(service, pools.get(url)!, policies, telemetry));
    return calls.get(service.typeName);
  };
  let draining = false;
  const isReady = () => !draining;
  const hooks = parts && telemetry && requests ? policyHooks(parts, telemetry, requests) : {};
  const transcoder = createTranscoder({ registry, httpRules, options, upstreamFor, ...hooks });
  const protocols = createProtocols({ registry, upstreamFor, isReady, ...hooks });
  const { server, drain } = gatewayServer([protocols, transcoder], await edgePages({ isReady }), {
    limits: policies ? { requestTimeoutMs: policies.request_timeout_ms } : {},
    everyRequest: parts?.everyRequest,
    requests,
  });
  if (telemetry) breakers.observe(telemetry.metrics.meter);
  const admin =
    policies?.admin_port !== undefined && telemetry
      ? await openAdminPort(policies.admin_host, policies.admin_port, {
          metrics: telemetry.metrics.text,
          isReady,
        })
      : undefined;
  server.listen(port, host);
  await once(server, "listening");
  console.log(
    `edge: ${transcoder.routes.length} routes on http://${host}:${(server.address() as AddressInfo).port}`,
  );

  const stop = async (): Promise<void> => {
    if (draining) process.exit(1);
    draining = true;
    await sleep(policies?.drain_delay_ms ?? 0);
    await drain(policies?.grace_ms ?? GRACE_MS);
    for (const pool of pools.values()) pool.destroy();
    await parts?.close();
    await admin?.close();
    await telemetry?.stop();
    process.exit(0);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

/** A contract with policy options gets its breakers and retries; one without knows of none. */
function callsTo(
  service: DescService,
  pool: Pool,
  policies: EdgeSettings | undefined,
  telemetry: Telemetry | undefined,
): StartCall {
  const upstream = upstreamCalls(pool);
  if (!policies || !telemetry) return upstream;
  const start = observedCalls(upstream, service, service.typeName, telemetry.metrics.clientCalls);
  if (!hasOption(service, serviceOption)) return start;
  return guardedCalls(start, service, breakers);
}

function policyHooks(parts: EdgeParts, { tracer, metrics }: Telemetry, requests: RequestMetrics): CallHooks {
  metrics.add(() => requests.text());
  return {
    admit: admitCalls(plainSteps({ ...parts, tracer })),
    onFinish: inTurn(observeFinishedCalls(requests), logCalls(log, lineWriter())),
    clientAddress: parts.clientAddress,
  };
}
