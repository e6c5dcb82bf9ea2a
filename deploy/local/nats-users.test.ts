import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { findNatsServer } from "./find-nats-server.ts";
import { freePort } from "./free-port.ts";
import { type Nats, type NatsUser, natsPassword, startNats } from "./nats.ts";
import { natsUsers } from "./nats-users.ts";

const users = natsUsers([
  {
    service: "library",
    password: natsPassword(),
    publishes: ["library.v1.book_lent"],
    streams: ["LIBRARY_V1"],
    consumes: [],
  },
  {
    service: "reader",
    password: natsPassword(),
    publishes: [],
    streams: [],
    consumes: [{ stream: "LIBRARY_V1", durable: "reader__book_lent", filterSubject: "library.v1.book_lent" }],
  },
  { service: "stranger", password: natsPassword(), publishes: [], streams: [], consumes: [] },
]);
const [library, reader, stranger] = users as [NatsUser, NatsUser, NatsUser];

let folder: string;
let server: Nats;
const connections: NatsConnection[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "weft-nats-users-"));
  const { binary } = await findNatsServer({ cacheDir: ".weft/bin", say: () => {} });
  const accounts = [{ name: "WEFT", users }];
  server = await startNats({ binary, dataDir: folder, port: await freePort(), accounts, log: () => {} });
  const manager = await jetstreamManager(await as(library));
  await manager.streams.add({ name: "LIBRARY_V1", subjects: ["library.v1.>"] });
});

afterAll(async () => {
  await Promise.all(connections.map((connection) => connection.close()));
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function as({ name, password }: NatsUser): Promise<NatsConnection> {
  const servers = `127.0.0.1:${server.port}`;
  const connection = await connect({ servers, user: name, pass: password, inboxPrefix: `_INBOX.${name}` });
  connections.push(connection);
  return connection;
}

test("an event goes from its owner to a reader with no more rights than listed", async () => {
  const manager = await jetstreamManager(await as(library));
  await manager.streams.update("LIBRARY_V1", { max_age: 3_600_000_000_000 });
  const { duplicate } = await jetstream(await as(library)).publish("library.v1.book_lent", "one", {
    msgID: "1",
  });
  expect(duplicate).toBe(false);

  const connection = await as(reader);
  const consumers = (await jetstreamManager(connection)).consumers;
  const info = await consumers.add("LIBRARY_V1", {
    durable_name: "reader__book_lent",
    ack_policy: "explicit",
    filter_subject: "library.v1.book_lent",
  });
  await consumers.update("LIBRARY_V1", "reader__book_lent", { max_ack_pending: 5 });
  const messages = await jetstream(connection)
    .consumers.getConsumerFromInfo(info)
    .fetch({ max_messages: 1, expires: 2_000 });
  for await (const message of messages) {
    expect(message.string()).toBe("one");
    expect(await message.ackAck()).toBe(true);
  }
  expect((await consumers.info("LIBRARY_V1", "reader__book_lent")).num_ack_pending).toBe(0);
});

test("only the owner may publish an event", async () => {
  await expect(jetstream(await as(reader)).publish("library.v1.book_lent", "forged")).rejects.toThrow(
    "Permissions Violation",
  );
});

test("the owner may publish what the contract names, and nothing else in its stream", async () => {
  await expect(jetstream(await as(library)).publish("library.v1.undeclared", "x")).rejects.toThrow(
    "Permissions Violation",
  );
});

test.for(["purge", "delete", "info"] as const)("who does not own a stream may not %s it", async (verb) => {
  const manager = await jetstreamManager(await as(stranger));
  await expect(manager.streams[verb]("LIBRARY_V1")).rejects.toThrow("Permissions Violation");
});

test("a durable of another name, and so a stranger's view of the stream, is refused", async () => {
  const manager = await jetstreamManager(await as(reader));
  await expect(
    manager.consumers.add("LIBRARY_V1", { durable_name: "reader__all", ack_policy: "explicit" }),
  ).rejects.toThrow("Permissions Violation");
});

test("nobody hears what is said to others", async () => {
  const connection = await as(stranger);
  for (const subject of ["library.v1.>", "_INBOX.library.>", "$JS.API.>"]) {
    const refused = Promise.withResolvers<Error | undefined>();
    connection.subscribe(subject, { callback: (error) => refused.resolve(error ?? undefined) });
    expect(String(await refused.promise)).toContain("Permissions Violation");
  }
});

test("who has no name and password is refused", async () => {
  await expect(connect({ servers: `127.0.0.1:${server.port}`, maxReconnectAttempts: 0 })).rejects.toThrow(
    "Authorization Violation",
  );
});
