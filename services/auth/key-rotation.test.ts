/** Keys change while everybody goes on: months in minutes, with processes that read the keys at different times. */
import { afterAll, expect, onTestFinished, test, vi } from "vitest";
import { createUserVerifier } from "#mesh/runtime/identity/user-token.ts";
import { openDatabase } from "#mesh/runtime/storage/database.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";
import { freshDatabase } from "../../test/system/fresh.ts";
import { createAccessTokens } from "./access-token.ts";
import { createKeyring } from "./keyring.ts";
import { rotateSigningKeys } from "./rotate-signing-keys.ts";
import { storage } from "./storage.ts";

const minute = 60_000;
const day = 24 * 60 * minute;
const claims = { issuer: "https://shop.test", audience: "shop" };
const closing: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(closing.map((close) => close())));

test("no token is refused while keys rotate, and one by a key that is gone is", async () => {
  const orm = await openDatabase(await freshDatabase("auth"), storage, createLogger("auth", "silent"));
  closing.push(() => orm.close());
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
  onTestFinished(() => void vi.useRealTimers());
  // Two replicas of auth and three services, whose caches have been filled at different times.
  const replicas = [createKeyring(orm), createKeyring(orm)];
  const issuers = replicas.map((keyring) => createAccessTokens(claims, keyring));
  let reads = 0;
  const newService = (n: number) =>
    createUserVerifier({
      ...claims,
      jwksUrl: "https://keys.test",
      fetch: async () => {
        reads++;
        return new Response(JSON.stringify({ keys: await replicas[n % 2]!.published() }));
      },
    });
  const services = [0, 1, 2].map(newService);
  const refused: string[] = [];
  const kids = new Set<string>();
  const first = (await replicas[0]!.signing()).kid;
  let old = "";
  const turn = async (step: number) => {
    await rotateSigningKeys(orm, new Date());
    const tokens = await Promise.all(
      issuers.map((issuer) => issuer.issue({ id: "ann", roles: ["customer"] })),
    );
    for (const token of tokens) {
      const { kid } = JSON.parse(Buffer.from(token.split(".")[0]!, "base64url").toString());
      if (kid === first) old = token;
      kids.add(kid);
      for (const [n, verify] of services.entries())
        if (step % (n + 1) === 0)
          await Promise.resolve(verify(`Bearer ${token}`)).catch((error) =>
            refused.push(`${n}: ${error.reason}`),
          );
    }
  };
  // Coarse until a change is near, then minute by minute; two changes.
  for (let step = 0; step < 400; step++) {
    await turn(step);
    const age = (Date.now() / day) % 30;
    vi.setSystemTime(Date.now() + (step % 100 < 60 ? 2 * minute : day * (age > 0 ? 0.9 : 1)));
  }
  expect(refused).toEqual([]);
  expect(kids.size).toBeGreaterThanOrEqual(3);
  expect(reads).toBeLessThan(3 * 400);

  // The first key signs no more and its tokens have expired; the clock is set back, so that only the key is wrong.
  const { iat } = JSON.parse(Buffer.from(old.split(".")[1]!, "base64url").toString());
  vi.setSystemTime(iat * 1_000 + 1_000);
  await expect((async () => newService(0)(`Bearer ${old}`))()).rejects.toMatchObject({ code: 16 });
});
