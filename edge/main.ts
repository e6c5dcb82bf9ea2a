import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { DescService } from "@bufbuild/protobuf";
import { Http2Sessions } from "#mesh/runtime/rpc/http2-sessions.ts";
import { parseArguments } from "./cli.ts";
import { gatewayServer } from "./gateway.ts";
import { edgePages } from "./pages.ts";
import { createProtocols } from "./protocols/protocols.ts";
import { createTranscoder } from "./transcode/transcoder.ts";
import { type StartCall, upstreamCalls } from "./transcode/upstream-call.ts";

/** Milliseconds open calls get to finish after SIGTERM. */
const GRACE_MS = 8_000;

try {
  await run();
} catch (error) {
  console.error(`edge: ${(error as Error).message}`);
  process.exit(1);
}

async function run(): Promise<void> {
  const { registry, upstreams, httpRules, options, port, host } = parseArguments(process.argv.slice(2));
  const pools = new Map<string, Http2Sessions>();
  const calls = new Map<string, StartCall>();
  const upstreamFor = (service: DescService): StartCall | undefined => {
    const url = upstreams.get(service.typeName) ?? upstreams.get("*");
    if (!url) return undefined;
    if (!pools.has(url)) {
      pools.set(url, new Http2Sessions(url));
      calls.set(url, upstreamCalls(pools.get(url)!));
    }
    return calls.get(url);
  };
  let draining = false;
  const transcoder = createTranscoder({ registry, httpRules, options, upstreamFor });
  const protocols = createProtocols({ registry, upstreamFor, isReady: () => !draining });
  const pages = await edgePages({ isReady: () => !draining });
  const { server, drain } = gatewayServer([protocols, transcoder], pages);
  server.listen(port, host);
  await once(server, "listening");
  console.log(
    `edge: ${transcoder.routes.length} routes on http://${host}:${(server.address() as AddressInfo).port}`,
  );

  const stop = async (): Promise<void> => {
    if (draining) process.exit(1);
    draining = true;
    await drain(GRACE_MS);
    for (const pool of pools.values()) pool.destroy();
    process.exit(0);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}
