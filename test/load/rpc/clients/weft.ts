/** The runtime's client. BENCH_INTERCEPTORS=on: with the whole list, called while a request is served. */
import { createClient } from "@connectrpc/connect";
import { fixedUpstreams } from "#mesh/runtime/discovery/upstreams.ts";
import { createClients } from "#mesh/runtime/rpc/clients.ts";
import { grpcTransport } from "#mesh/runtime/rpc/grpc/transport.ts";
import { Http2Sessions } from "#mesh/runtime/rpc/http2-sessions.ts";
import { contextFromHeaders, runInContext } from "#mesh/runtime/telemetry/context.ts";
import { library, meshHeaders, request, requestId, TIMEOUT_MS, traceparent, typed } from "../get-book.ts";
import { authorization, workload } from "../identities.ts";
import { makeCalls } from "./calls.ts";

const baseUrl = `http://127.0.0.1:${process.env.BENCH_TARGET}`;
if (process.env.BENCH_INTERCEPTORS === "on") {
  const clients = createClients({
    workload: await workload("edge"),
    upstreams: fixedUpstreams(new Map([["library", baseUrl]])),
  });
  const client = typed(clients(library));
  const served = { authorization: authorization() };
  makeCalls(async () => {
    const deadline = Date.now() + TIMEOUT_MS;
    const context = contextFromHeaders({ requestId, traceparent }, { ...served, deadline });
    await runInContext(context, () => client.getBook(request));
  });
} else {
  const sessions = new Http2Sessions(baseUrl);
  const transport = grpcTransport({ sessions, interceptors: [], readMaxBytes: 1024 * 1024 });
  const client = typed(createClient(library, transport));
  let headers: Record<string, string> = {};
  makeCalls(
    async () => {
      await client.getBook(request, { headers, timeoutMs: TIMEOUT_MS });
    },
    async () => {
      headers = await meshHeaders();
    },
  );
}
