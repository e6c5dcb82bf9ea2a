/** Void tokens on a real nats-server, with the rights that services have. */
import { expect, onTestFinished, test, vi } from "vitest";
import { type Bus, connectBus, type EventLog } from "../events/bus.ts";
import { type OwnNats, ownNats } from "../events/testdata/nats-server.ts";
import { announceRevocation, followRevocations, type Revocations } from "./revocations.ts";

const quiet: EventLog = { debug() {}, info() {}, warn() {}, error() {} };
const now = Math.floor(Date.now() / 1_000);

async function startedNats(): Promise<OwnNats> {
  const nats = await ownNats();
  await nats.start();
  return nats;
}

/** "library" issues tokens, "reader" does not. */
async function busOf(nats: OwnNats, service: "library" | "reader"): Promise<Bus> {
  const bus = await connectBus({ url: nats.url(service), service, log: quiet });
  onTestFinished(() => bus.close());
  await bus.connected();
  return bus;
}

async function follower(nats: OwnNats): Promise<Revocations> {
  const revocations = followRevocations(await busOf(nats, "reader"), quiet);
  onTestFinished(() => revocations.stop());
  await revocations.loaded;
  return revocations;
}

const heard = (revocations: Revocations, user: string, issuedAt: number) =>
  vi.waitFor(() => expect(revocations.isRevoked(user, issuedAt)).toBe(true), { timeout: 60_000 });

test("what the issuer voids is void everywhere, for processes that were there and for those that come later", async () => {
  const nats = await startedNats();
  const before = await follower(nats);
  const issuer = await busOf(nats, "library");
  expect(before.isRevoked("ann", now - 10)).toBe(false);
  await announceRevocation(issuer, { user: "ann", before: now }, 1);
  await heard(before, "ann", now - 1);
  const later = await follower(nats);
  for (const revocations of [before, later]) {
    expect(revocations.isRevoked("ann", now - 1)).toBe(true);
    expect(revocations.isRevoked("ann", now), "issued since").toBe(false);
    expect(revocations.isRevoked("bob", now - 1), "somebody else").toBe(false);
  }
});

test("an older word does not bring tokens back, and any text may be a user's id", async () => {
  const nats = await startedNats();
  const issuer = await busOf(nats, "library");
  const revocations = await follower(nats);
  const user = "a b.c>*\u0000ü/..";
  await announceRevocation(issuer, { user, before: now }, 1);
  await announceRevocation(issuer, { user, before: now - 100 }, 1);
  await announceRevocation(issuer, { user: "last", before: now }, 1);
  await heard(revocations, "last", now - 1);
  expect(revocations.isRevoked(user, now - 1)).toBe(true);
});

test("only the issuer may void tokens", async () => {
  const nats = await startedNats();
  const revocations = await follower(nats);
  await announceRevocation(await busOf(nats, "library"), { user: "ann", before: now }, 1);
  await heard(revocations, "ann", now - 1);
  const reader = await busOf(nats, "reader");
  await expect(announceRevocation(reader, { user: "bob", before: now }, 1)).rejects.toThrow();
  expect(revocations.isRevoked("bob", now - 1)).toBe(false);
});

test("without NATS the last that was known holds, and a server that lost its disk is told again", async () => {
  const nats = await startedNats();
  const issuer = await busOf(nats, "library");
  const revocations = await follower(nats);
  await announceRevocation(issuer, { user: "ann", before: now }, 1);
  await heard(revocations, "ann", now - 1);
  await nats.kill();
  expect(revocations.isRevoked("ann", now - 1)).toBe(true);
  nats.loseStore();
  await nats.start();
  await vi.waitFor(() => announceRevocation(issuer, { user: "bob", before: now }, 1), { timeout: 60_000 });
  await heard(revocations, "bob", now - 1);
  expect(revocations.isRevoked("ann", now - 1)).toBe(true);
});

test("a revocation is forgotten when what it voids has expired by itself", async () => {
  const nats = await startedNats();
  const issuer = await busOf(nats, "library");
  const revocations = await follower(nats);
  await announceRevocation(issuer, { user: "ann", before: now }, 1);
  await heard(revocations, "ann", now - 1);
  vi.useFakeTimers({ toFake: ["Date"], now: (now + 17 * 60) * 1_000 });
  onTestFinished(() => void vi.useRealTimers());
  await vi.waitFor(() => expect(revocations.isRevoked("ann", now - 1)).toBe(false), { timeout: 60_000 });
});
