/** The registry on a real nats-server, with the rights that services have. */
import { expect, onTestFinished, test } from "vitest";
import { until } from "../../../test/system/runner-process.ts";
import { type Bus, connectBus, type EventLog } from "../events/bus.ts";
import { type OwnNats, ownNats } from "../events/testdata/nats-server.ts";
import { type Directory, followDirectory } from "./directory.ts";
import type { Instance } from "./instance.ts";
import { type Registration, register } from "./registration.ts";
import { writeEntry } from "./registry.ts";

const quiet: EventLog = { debug() {}, info() {}, warn() {}, error() {} };

function instance(name: string, service = "library"): Instance {
  return {
    service,
    instance: name,
    version: "1",
    address: `http://127.0.0.1:${name.length + 9_000}`,
    spiffeId: `spiffe://weft.local/ns/default/sa/${service}`,
    state: "ready",
    startedAt: "2026-01-01T00:00:00.000Z",
  };
}

async function startedNats(): Promise<OwnNats> {
  const nats = await ownNats();
  await nats.start();
  return nats;
}

async function busOf(nats: OwnNats, service: "library" | "reader"): Promise<Bus> {
  const bus = await connectBus({ url: nats.url(service), service, log: quiet });
  onTestFinished(() => bus.close());
  await bus.connected();
  return bus;
}

/** Heartbeats every 100 ms. */
async function registered(nats: OwnNats, name: string): Promise<{ bus: Bus; registration: Registration }> {
  const bus = await busOf(nats, "library");
  const registration = register(bus, instance(name), quiet, 100);
  onTestFinished(() => registration.end());
  return { bus, registration };
}

/** @param expiryMs time without a heartbeat after which a process is gone; a busy machine misses many of them */
async function directoryOf(
  nats: OwnNats,
  { expiryMs = 30_000, onChange = () => {} }: { expiryMs?: number; onChange?: () => void } = {},
): Promise<Directory> {
  const bus = await busOf(nats, "reader");
  const directory = followDirectory(bus, quiet, onChange, { expiryMs, lookEveryMs: 50 });
  onTestFinished(() => directory.stop());
  await directory.loaded;
  return directory;
}

const names = (directory: Directory) => directory.instancesOf("library").map((each) => each.instance);

test("who registers is found, by those who were there before and by those who come later", async () => {
  const nats = await startedNats();
  const before = await directoryOf(nats);
  await registered(nats, "library-1");
  await registered(nats, "library-22");
  await until("both are known", () => names(before).length === 2);
  const later = await directoryOf(nats);
  expect(names(later)).toEqual(["library-1", "library-22"]);
  expect(later.instancesOf("library")[0]).toEqual(instance("library-1"));
});

test("who ends is gone for everybody by the time its end is over", async () => {
  const nats = await startedNats();
  const directory = await directoryOf(nats);
  const { registration } = await registered(nats, "library-1");
  await until("it is known", () => names(directory).length === 1);
  await registration.end();
  expect(names(directory)).toEqual([]);
});

test("who is not heard of any more expires", async () => {
  const nats = await startedNats();
  const directory = await directoryOf(nats, { expiryMs: 1_500 });
  const bus = await busOf(nats, "library");
  await registered(nats, "library-1");
  await until("the bucket is there", () => names(directory).length === 1);
  await writeEntry(bus, instance("library-dead")); // one heartbeat, and none after it
  await until("it is known", () => names(directory).includes("library-dead"));
  await until("it alone is gone", () => names(directory).join() === "library-1");
});

test("a process that stood still itself takes nobody for gone", async () => {
  const nats = await startedNats();
  let changes = 0;
  const onChange = () => void changes++;
  const directory = await directoryOf(nats, { expiryMs: 1_500, onChange });
  await registered(nats, "library-1");
  await until("it is known", () => names(directory).length === 1);
  const before = changes;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000); // stops this process, all of it
  await registered(nats, "library-22");
  await until("both are known", () => names(directory).length === 2);
  expect(changes - before).toBe(1);
});

test("while the registry is away everybody stays known, and an empty one fills again", async () => {
  const nats = await startedNats();
  const directory = await directoryOf(nats, { expiryMs: 1_500 });
  await registered(nats, "library-1");
  await until("it is known", () => names(directory).length === 1);

  await nats.kill();
  await until("the directory has noticed", () => !directory.isLive);
  await new Promise((resolve) => setTimeout(resolve, 2_000)); // longer than an entry lives without heartbeats
  expect(names(directory)).toEqual(["library-1"]);

  nats.loseStore();
  await nats.start();
  await until("the registry is back", () => directory.isLive);
  const later = await directoryOf(nats);
  await until("the entry is there again", () => names(later).length === 1);
  await until("for those who were there before, too", () => names(directory).join() === "library-1");
});

test("a process that starts while the registry is away registers when it comes", async () => {
  const nats = await ownNats();
  const bus = await connectBus({ url: nats.url("library"), service: "library", log: quiet });
  onTestFinished(() => bus.close());
  const registration = register(bus, instance("library-1"), quiet, 100);
  onTestFinished(() => registration.end());
  await nats.start();
  const directory = await directoryOf(nats);
  await until("it is known", () => names(directory).length === 1);
});

test("nobody may write an entry of another service", async () => {
  const nats = await startedNats();
  await registered(nats, "library-1");
  const reader = await busOf(nats, "reader");
  await expect(writeEntry(reader, instance("library-1"))).rejects.toThrow("Permissions Violation");
  await expect(reader.jsm.streams.purge("KV_weft_registry")).rejects.toThrow("Permissions Violation");
  await expect(reader.jsm.streams.update("KV_weft_registry", { max_age: 1 })).rejects.toThrow(
    "Permissions Violation",
  );
});

test("an entry that says it is another's, or says nothing, is not believed", async () => {
  const nats = await startedNats();
  const directory = await directoryOf(nats);
  const { bus } = await registered(nats, "library-1");
  await until("the bucket is there", () => names(directory).length === 1);
  const reader = instance("reader-1", "reader");
  await bus.js.publish("$KV.weft_registry.library.forged", JSON.stringify(reader));
  await bus.js.publish("$KV.weft_registry.library.broken", "{");
  const later = await directoryOf(nats);
  expect([...directory.all(), ...later.all()].map((each) => each.instance)).toEqual([
    "library-1",
    "library-1",
  ]);
});
