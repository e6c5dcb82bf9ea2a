/** A running edge in front of a library, with the policy and settings that a test gives it. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { create, createRegistry, type DescMethod } from "@bufbuild/protobuf";
import { pino } from "pino";
import { HttpRuleSchema } from "#gen/google/api/http_pb.ts";
import { BreakerBoard } from "#mesh/runtime/policy/breaker-board.ts";
import { policyOf } from "#mesh/runtime/policy/method-policy.ts";
import { gatewayServer } from "../gateway.ts";
import { edgePages } from "../pages.ts";
import { admitCalls, plainSteps } from "../policies/admit-calls.ts";
import { edgeParts } from "../policies/edge-parts.ts";
import { guardedCalls } from "../policies/guarded-calls.ts";
import type { Step } from "../policies/passage.ts";
import { settingsFromJson } from "../policies/settings.ts";
import { createProtocols } from "../protocols/protocols.ts";
import type { CallOutcome, IncomingCall } from "../transcode/admission.ts";
import { createTranscoder } from "../transcode/transcoder.ts";
import { upstreamCalls } from "../upstream/calls.ts";
import { Pool } from "../upstream/pool.ts";
import type { LibraryUpstream } from "./library-upstream.ts";

export interface LibraryEdge {
  readonly url: string;
  readonly port: number;
  /** Calls that have ended. */
  readonly finished: { call: IncomingCall; outcome: CallOutcome }[];
  /** Breakers that opened and closed, with the milliseconds since 1970. */
  readonly breakerLog: { at: number; state: string }[];
  drain(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * GET /v1/books/{id} and POST /v1/books go to `method`.
 * @param options.settings as in the JSON of --policies; without them nothing is shed, however busy the machine is
 * @param options.steps steps before those of a plain edge
 */
export async function startLibraryEdge(
  method: DescMethod,
  upstream: LibraryUpstream,
  options: { settings?: object; steps?: Step[]; openApi?: string } = {},
): Promise<LibraryEdge> {
  const settings = settingsFromJson({ shed_late_ms: 0, ...options.settings });
  const parts = await edgeParts(settings, { natsUrl: undefined, log: pino({ level: "silent" }) });
  const registry = createRegistry(method.parent.file);
  const sessions = new Pool(upstream.url);
  const breakerLog: LibraryEdge["breakerLog"] = [];
  const warn = (entry: unknown) =>
    breakerLog.push({ at: Date.now(), state: (entry as { breaker: string }).breaker });
  const breakers = new BreakerBoard({ warn });
  const start = guardedCalls(upstreamCalls(sessions), method.parent, breakers, settings.retries);
  const finished: LibraryEdge["finished"] = [];
  const config = {
    registry,
    services: [method.parent],
    upstreamFor: () => start,
    admit: admitCalls([...(options.steps ?? []), ...plainSteps(parts)]),
    clientAddress: parts.clientAddress,
    onFinish: (call: IncomingCall, outcome: CallOutcome) => void finished.push({ call, outcome }),
  };
  const cacheControl = (one: DescMethod) => policyOf(one).cacheControl;
  const selector = `${method.parent.typeName}.${method.name}`;
  const httpRules = [
    create(HttpRuleSchema, {
      selector,
      pattern: { case: "get", value: "/v1/books/{id}" },
      additionalBindings: [{ pattern: { case: "post", value: "/v1/books" }, body: "*" }],
    }),
  ];
  const { server, drain } = gatewayServer(
    [createProtocols(config), createTranscoder({ ...config, httpRules, cacheControl })],
    await edgePages({ isReady: () => true, openApi: options.openApi }),
    { everyRequest: parts.everyRequest, limits: { requestTimeoutMs: settings.request_timeout_ms } },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    finished,
    breakerLog,
    drain: () => drain(settings.grace_ms),
    async stop() {
      await drain(100);
      sessions.destroy();
      await parts.close();
    },
  };
}
