import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { createPasswords } from "./password-hash.ts";

const passwords = createPasswords();

test("a hash is a PHC string with the agreed cost and a salt of its own", async () => {
  const [one, other] = await Promise.all([passwords.hash("open sesame!"), passwords.hash("open sesame!")]);
  expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  expect(other).not.toBe(one);
});

test("only the same password verifies", async () => {
  const phc = await passwords.hash("öffne dich ✓");
  expect(await passwords.verify("öffne dich ✓", phc)).toBe(true);
  expect(await passwords.verify("öffne dich", phc)).toBe(false);
  expect(await passwords.verify("Öffne dich ✓", phc)).toBe(false);
});

test("a password of the greatest length is not truncated", async () => {
  const long = "x".repeat(127);
  const phc = await passwords.hash(`${long}a`);
  expect(await passwords.verify(`${long}b`, phc)).toBe(false);
});

test("a hash of the argon2 reference implementation verifies", async () => {
  // phc-winner-argon2, src/test.c: t=2, m=256, p=1
  const phc = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
  expect(await passwords.verify("password", phc)).toBe(true);
});

test("no hash takes the time of a hash, and no password verifies", async () => {
  const phc = await passwords.hash("open sesame!");
  let [known, unknown] = [Infinity, Infinity];
  for (let round = 0; round < 9; round++) {
    known = Math.min(known, await cpuMsOf(() => passwords.verify("wrong", phc)));
    unknown = Math.min(unknown, await cpuMsOf(() => passwords.verify("wrong", undefined)));
  }
  expect(unknown / known).toBeGreaterThan(0.5);
  expect(unknown / known).toBeLessThan(2);
});

test("more callers than may wait are refused, the others are served", async () => {
  const narrow = createPasswords({ atOnce: 2, waiting: 1 });
  const results = await Promise.allSettled([1, 2, 3, 4, 5].map((n) => narrow.hash(`password ${n}`)));
  expect(results.map(({ status }) => status)).toEqual([
    "fulfilled",
    "fulfilled",
    "fulfilled",
    "rejected",
    "rejected",
  ]);
  // With a reason, so that breakers know it for a refusal of one call: else a flood of logins closed them to all.
  expect(results[4]).toMatchObject({
    reason: { code: Code.ResourceExhausted, reason: "OVERLOADED", retryAfterMs: 1_000 },
  });
  await expect(narrow.hash("later")).resolves.toContain("$argon2id$");
});

test("who gives up while waiting is not served", async () => {
  const narrow = createPasswords({ atOnce: 1, waiting: 1 });
  const caller = new AbortController();
  const first = narrow.hash("first");
  const second = narrow.hash("second", caller.signal);
  caller.abort();
  await expect(second).rejects.toMatchObject({ code: Code.Canceled });
  await expect(first).resolves.toContain("$argon2id$");
});

/** Milliseconds that the process, with all its threads, computes until `work` has answered false. */
async function cpuMsOf(work: () => Promise<boolean>): Promise<number> {
  const before = process.cpuUsage();
  expect(await work()).toBe(false);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
