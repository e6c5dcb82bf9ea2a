import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { AckPolicy, DeliverPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { findNatsServer } from "#local/find-nats-server.ts";
import { freePort } from "#local/free-port.ts";
import { startNats } from "#local/nats.ts";
import type { StreamEvidence } from "./evidence.ts";
import { poisonHeader } from "./poison-events.ts";

/**
 * Reads the streams of a system that has ended, through a server of our own on its files: no user of the system
 * may read them all.
 *
 * @param dataDir - the system's
 * @param root - of the repository, where a downloaded nats-server may lie
 * @returns what each stream holds
 */
export async function readStreams(dataDir: string, root: string): Promise<Record<string, StreamEvidence>> {
  const { binary } = await findNatsServer({ cacheDir: join(root, ".weft", "bin"), say: () => {} });
  const user = {
    name: "auditor",
    password: randomBytes(16).toString("hex"),
    publish: [">"],
    subscribe: [">"],
  };
  const port = await freePort();
  const server = await startNats({
    binary,
    dataDir: join(dataDir, "nats"),
    port,
    accounts: [{ name: "WEFT", users: [user] }],
    log: () => {},
  });
  try {
    const connection = await connect({ servers: `127.0.0.1:${port}`, user: user.name, pass: user.password });
    const manager = await jetstreamManager(connection);
    const streams: Record<string, StreamEvidence> = {};
    for await (const { config, state } of manager.streams.list()) {
      if (config.name.startsWith("KV_")) continue;
      const ids = new Set<string>();
      const poison = new Set<string>();
      streams[config.name] = { ids, poison };
      if (state.messages === 0) continue;
      const { name } = await manager.consumers.add(config.name, {
        ack_policy: AckPolicy.None,
        deliver_policy: DeliverPolicy.All,
        mem_storage: true,
        inactive_threshold: 60_000_000_000,
      });
      const consumer = await jetstream(connection).consumers.get(config.name, name);
      let left = state.messages;
      const messages = await consumer.consume({ max_messages: 1_000 });
      for await (const { headers, seq } of messages) {
        if (headers?.has(poisonHeader)) poison.add(headers.get("ce-id") || `${config.name}:${seq}`);
        else ids.add(headers?.get("ce-id") ?? "");
        if (--left === 0) break;
      }
    }
    await connection.close();
    return streams;
  } finally {
    await server.stop();
  }
}
