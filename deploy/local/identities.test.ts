import { X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openIdentities } from "./identities.ts";

const hour = 60 * 60 * 1_000;
const day = 24 * hour;

/** An authority whose clock the test moves. */
async function open() {
  const folder = join(mkdtempSync(join(tmpdir(), "weft-authority-")), "identity");
  onTestFinished(() => rmSync(join(folder, ".."), { recursive: true }));
  const clock = { now: Date.now() };
  const start = () => openIdentities(folder, "library.test", { now: () => clock.now });
  const identities = await start();
  const roots = () =>
    readFileSync(identities.bundle, "utf8")
      .split(/(?=-----BEGIN CERTIFICATE)/)
      .map((pem) => new X509Certificate(pem));
  const leaf = (name: string) => new X509Certificate(readFileSync(identities.filesOf(name).certificate));
  const signer = (name: string) => roots().findIndex(({ publicKey }) => leaf(name).verify(publicKey));
  return { folder, clock, start, identities, roots, leaf, signer };
}

test("a process gets a day's certificate with its SPIFFE id, a replica one of its own for the same name", async () => {
  const { identities, leaf, folder } = await open();
  const { key } = await identities.issue("reader");
  await identities.issue("reader-2", "reader");
  const id = "URI:spiffe://library.test/ns/default/sa/reader";
  expect(leaf("reader").subjectAltName?.split(", ")[0]).toBe(id);
  expect(leaf("reader-2").subjectAltName?.split(", ")[0]).toBe(id);
  expect(leaf("reader-2").fingerprint256).not.toBe(leaf("reader").fingerprint256);
  const life = leaf("reader").validToDate.getTime() - leaf("reader").validFromDate.getTime();
  expect(Math.round(life / hour)).toBe(24);
  const authority = join(folder, "authority");
  const modes = [key, ...readdirSync(authority).map((name) => join(authority, name))].map(
    (file) => statSync(file).mode & 0o777,
  );
  expect(modes).toEqual([0o600, 0o600]);
  expect(statSync(authority).mode & 0o777).toBe(0o700);
});

test("it is renewed after half a day, with another key, and kept until then, also by the next start", async () => {
  const { identities, clock, leaf, start } = await open();
  await identities.issue("reader");
  const first = leaf("reader").fingerprint256;
  clock.now += 11 * hour;
  await identities.renew();
  await (await start()).issue("reader");
  expect(leaf("reader").fingerprint256).toBe(first);
  const key = readFileSync(identities.filesOf("reader").key, "utf8");
  clock.now += 2 * hour;
  await identities.renew();
  expect(leaf("reader").fingerprint256).not.toBe(first);
  expect(readFileSync(identities.filesOf("reader").key, "utf8")).not.toBe(key);
});

test("a new root is known for a day before it signs, and the old one until it expires", async () => {
  const { identities, clock, roots, signer } = await open();
  await identities.issue("reader");
  clock.now += 46 * day;
  await identities.renew();
  expect(roots()).toHaveLength(2);
  expect(signer("reader")).toBe(0);
  clock.now += 25 * hour;
  await identities.renew();
  expect(signer("reader")).toBe(1);
  clock.now += 44 * day;
  await identities.renew();
  expect(roots().length).toBeLessThan(3);
  expect(signer("reader")).toBeGreaterThanOrEqual(0);
});
