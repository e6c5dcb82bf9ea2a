/** A service with the whole list of interceptors, its access log going to /dev/null. BENCH_TELEMETRY=off: without telemetry. */
import type { ConnectRouter } from "@connectrpc/connect";
import { identifyCallers } from "#mesh/runtime/identity/identify-caller.ts";
import { policyOf } from "#mesh/runtime/policy/method-policy.ts";
import { createRpcServer } from "#mesh/runtime/rpc/rpc-server.ts";
import { serverInterceptors } from "#mesh/runtime/rpc/server-interceptors.ts";
import { lineWriter } from "#mesh/runtime/telemetry/line-writer.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";
import { startTelemetry } from "#mesh/runtime/telemetry/start-telemetry.ts";
import { noTracer } from "#mesh/runtime/telemetry/tracer.ts";
import { library, reply } from "../rpc/get-book.ts";
import { userVerifier, workload } from "../rpc/identities.ts";
import { SilentCalls } from "./silent.ts";

const log = createLogger("library");
const off = process.env.BENCH_TELEMETRY === "off";
const telemetry = off ? undefined : startTelemetry("library", process.env, log);
const server = await createRpcServer({
  groups: [
    {
      routes: (router: ConnectRouter) => router.service(library, { getBook: () => reply } as object),
      interceptors: serverInterceptors({
        log,
        writeLine: lineWriter(),
        identifyCaller: identifyCallers(workload("library")),
        verifyUser: userVerifier(),
        // Without TLS the caller cannot be told; it then counts as the edge, which it is.
        directCalls: true,
        tracer: telemetry?.tracer ?? noTracer,
        metrics: telemetry?.metrics.serverCalls ?? new SilentCalls("server"),
      }),
      maxTimeoutMs: (method) => policyOf(method).timeoutMs,
    },
  ],
  readMaxBytes: 1024 * 1024,
  compressMinBytes: 64 * 1024,
});
await server.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
