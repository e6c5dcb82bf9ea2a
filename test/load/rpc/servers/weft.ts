/**
 * The runtime's server. BENCH_INTERCEPTORS=on: with all that a service has around its handlers: the whole list, spans
 * sent to a collector, calls counted, load measured, the access log going to /dev/null.
 */
import type { ConnectRouter } from "@connectrpc/connect";
import { identifyCallers } from "#mesh/runtime/identity/identify-caller.ts";
import { policyOf } from "#mesh/runtime/policy/method-policy.ts";
import { serverTls } from "#mesh/runtime/rpc/mutual-tls.ts";
import { createRpcServer } from "#mesh/runtime/rpc/rpc-server.ts";
import { serverInterceptors } from "#mesh/runtime/rpc/server-interceptors.ts";
import { ServerLoad } from "#mesh/runtime/rpc/server-load.ts";
import { lineWriter } from "#mesh/runtime/telemetry/line-writer.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";
import { startTelemetry } from "#mesh/runtime/telemetry/start-telemetry.ts";
import { library, reply } from "../get-book.ts";
import { userVerifier, usesTls, workload } from "../identities.ts";

const log = createLogger("library");
const own = workload("library");
const full = process.env.BENCH_INTERCEPTORS === "on";
const routes = (router: ConnectRouter) => router.service(library, { getBook: () => reply } as object);
const interceptors = full
  ? serverInterceptors({
      log,
      writeLine: lineWriter(),
      ...observers(),
      identifyCaller: identifyCallers(own),
      verifyUser: userVerifier(),
      // Without TLS the caller cannot be told; it then counts as the edge, which it is.
      directCalls: !usesTls,
    })
  : [];
const server = await createRpcServer({
  groups: [{ routes, interceptors, ...(full && { maxTimeoutMs: (method) => policyOf(method).timeoutMs }) }],
  readMaxBytes: 1024 * 1024,
  compressMinBytes: 64 * 1024,
  secure: serverTls(own, log),
});
await server.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });

function observers() {
  const { tracer, metrics } = startTelemetry("library", process.env, log);
  // Measures as in a service; a bench that fills a core must not be refused, so no delay is late.
  const load = new ServerLoad(60_000);
  return { tracer, metrics: metrics.serverCalls, load };
}
