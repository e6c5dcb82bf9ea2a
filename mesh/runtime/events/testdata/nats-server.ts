/** A nats-server of a test's own, which the test may kill and start again on the same port and store. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { findNatsServer } from "#local/find-nats-server.ts";
import { freePort } from "#local/free-port.ts";
import { type Nats, type NatsUser, natsPassword, startNats } from "#local/nats.ts";
import { natsUsers } from "#local/nats-users.ts";

export interface OwnNats {
  /** URL of "library", which owns the stream, or "reader", which consumes book_lent. Least rights only. */
  url(service: "library" | "reader"): string;
  start(): Promise<void>;
  kill(): Promise<void>;
  /** Forgets all streams; only while the server is down. */
  loseStore(): void;
}

export async function ownNats(): Promise<OwnNats> {
  const folder = mkdtempSync(join(tmpdir(), "weft-events-"));
  const { binary } = await findNatsServer({ cacheDir: ".weft/bin", say: () => {} });
  const port = await freePort();
  const none = { publishes: [], streams: [], consumes: [], registers: true };
  const reads = { stream: "LIBRARY_V1", durable: "reader__book_lent", filterSubject: "library.v1.book_lent" };
  const users = natsUsers([
    {
      ...none,
      service: "library",
      password: natsPassword(),
      publishes: ["library.v1.book_lent"],
      streams: ["LIBRARY_V1"],
      issuesTokens: true,
    },
    { ...none, service: "reader", password: natsPassword(), consumes: [reads] },
  ]);
  let server: Nats | undefined;
  onTestFinished(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    url(service) {
      const { name, password } = users.find((user) => user.name === service) as NatsUser;
      return `nats://${name}:${encodeURIComponent(password)}@127.0.0.1:${port}`;
    },
    async start() {
      server = await startNats({
        binary,
        dataDir: folder,
        port,
        accounts: [{ name: "WEFT", users }],
        log: () => {},
      });
    },
    async kill() {
      process.kill(server!.pid, "SIGKILL");
      await server!.exited;
      server = undefined;
    },
    loseStore: () => rmSync(join(folder, "jetstream"), { recursive: true, force: true }),
  };
}
