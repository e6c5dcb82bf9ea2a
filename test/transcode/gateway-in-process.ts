import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { gatewayServer } from "#edge/gateway.ts";
import { edgePages } from "#edge/pages.ts";
import { createProtocols } from "#edge/protocols/protocols.ts";
import { parseOptions } from "#edge/transcode/options.ts";
import { parseServiceConfig } from "#edge/transcode/service-config.ts";
import { createTranscoder } from "#edge/transcode/transcoder.ts";
import { upstreamCalls } from "#edge/upstream/calls.ts";
import { Pool } from "#edge/upstream/pool.ts";
import type { Gateway } from "./gateway-process.ts";
import { registry } from "./schema.ts";

/**
 * This project's gateway without a process of its own, as edge/main.ts puts it together: a hundred
 * configurations then take a second instead of a minute.
 */
export async function gatewayInProcess(
  upstreamPort: number,
  config: Readonly<Record<string, unknown>> = {},
): Promise<Gateway> {
  const { http_rules: rules, ...options } = config;
  const sessions = new Pool(`http://127.0.0.1:${upstreamPort}`);
  const upstreamFor = () => upstreamCalls(sessions);
  try {
    const httpRules = rules ? parseServiceConfig({ http: { rules } }) : [];
    const transcoder = createTranscoder({ registry, upstreamFor, httpRules, options: parseOptions(options) });
    const protocols = createProtocols({ registry, upstreamFor });
    const { server, drain } = gatewayServer(
      [protocols, transcoder],
      await edgePages({ isReady: () => true }),
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return {
      port: (server.address() as AddressInfo).port,
      pid: process.pid,
      ready: async () => true,
      exited: async () => null,
      output: () => "",
      async stop() {
        await drain(0);
        sessions.destroy();
      },
    };
  } catch (error) {
    return {
      port: 0,
      pid: process.pid,
      ready: async () => false,
      exited: async () => 1,
      output: () => (error as Error).message,
      stop: async () => {},
    };
  }
}
