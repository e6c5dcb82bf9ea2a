import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { Client } from "pg";
import { expect, test } from "vitest";
import { freshBus, freshDatabase } from "./fresh.ts";

test("a fresh database belongs to its own role and no other role may connect to it", async () => {
  const [mine, other] = await Promise.all([freshDatabase("order"), freshDatabase("order")]);
  const client = new Client({ connectionString: mine });
  await client.connect();
  await client.query("CREATE TABLE shelf (id int PRIMARY KEY)");
  await client.end();

  const trespass = new URL(mine);
  trespass.pathname = new URL(other).pathname;
  await expect(new Client({ connectionString: trespass.href }).connect()).rejects.toThrow(
    "permission denied",
  );
});

test("a wrong password is refused", async () => {
  const url = new URL(await freshDatabase("order"));
  url.password = "wrong";
  await expect(new Client({ connectionString: url.href }).connect()).rejects.toThrow(
    "password authentication failed",
  );
});

test("streams of one fresh bus are not seen on another", async () => {
  const mine = await open(await freshBus());
  const other = await open(await freshBus());
  try {
    const manager = await jetstreamManager(mine);
    await manager.streams.add({ name: "BOOKS", subjects: ["books.>"] });
    await jetstream(mine).publish("books.lent", "one");
    expect((await manager.streams.info("BOOKS")).state.messages).toBe(1);

    await expect((await jetstreamManager(other)).streams.info("BOOKS")).rejects.toThrow("stream not found");
  } finally {
    await Promise.all([mine.close(), other.close()]);
  }
});

async function open(url: string): Promise<NatsConnection> {
  const { host, username, password } = new URL(url);
  return connect({ servers: host, user: decodeURIComponent(username), pass: decodeURIComponent(password) });
}
