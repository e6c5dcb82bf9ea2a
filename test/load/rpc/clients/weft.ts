/** The runtime's client. BENCH_INTERCEPTORS=on: with the whole list, called while a request is served. */
import { createClient } from "@connectrpc/connect";
import { fixedUpstreams } from "#mesh/runtime/discovery/upstreams.ts";
import { createClients } from "#mesh/runtime/rpc/clients.ts";
import { grpcTransport } from "#mesh/runtime/rpc/grpc/transport.ts";
import { sessionsTo } from "#mesh/runtime/rpc/mutual-tls.ts";
import { runInContext } from "#mesh/runtime/telemetry/context.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";
import { startTelemetry } from "#mesh/runtime/telemetry/start-telemetry.ts";
import { library, meshHeaders, request, requestId, TIMEOUT_MS, traceparent, typed } from "../get-book.ts";
import { authorization, workload } from "../identities.ts";
import { makeCalls } from "./calls.ts";

const log = createLogger("edge", "silent");
const baseUrl = `http://127.0.0.1:${process.env.BENCH_TARGET}`;
if (process.env.BENCH_INTERCEPTORS === "on") {
  const own = workload("edge");
  const upstreams = fixedUpstreams(new Map([["library", baseUrl]]), own, log);
  const { tracer, metrics } = startTelemetry("edge", process.env, log);
  const clients = createClients({ workload: own, upstreams, metrics: metrics.clientCalls });
  const client = typed(clients(library));
  const served = { authorization: authorization() };
  makeCalls(async () => {
    const deadline = Date.now() + TIMEOUT_MS;
    const context = tracer.open({ requestId, traceparent: traceparent() }, { ...served, deadline });
    await runInContext(context, () => client.getBook(request));
  });
} else {
  const sessions = sessionsTo("library", baseUrl, workload("edge"), log);
  const transport = grpcTransport({ sessions, interceptors: [], readMaxBytes: 1024 * 1024 });
  const client = typed(createClient(library, transport));
  let headers: Record<string, string> = {};
  makeCalls(
    async () => {
      await client.getBook(request, { headers, timeoutMs: TIMEOUT_MS });
    },
    async () => {
      headers = meshHeaders();
    },
  );
}
