import { MethodOptions_IdempotencyLevel as Idempotency } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { Importance, RateLimit_Key } from "#gen/weft/policy/v1/policy_pb.ts";
import { policyOf } from "./method-policy.ts";
import { libraryMethod } from "./testdata/library-method.ts";

const seconds = (value: number) => ({ seconds: BigInt(value) });

test("what a method leaves out is neither limited nor tried again, and may not be cached", () => {
  expect(policyOf(libraryMethod({}))).toMatchObject({
    rateLimit: undefined,
    retry: undefined,
    importance: Importance.NORMAL,
    cacheControl: "no-store",
    concurrency: { limit: 32, queue: 16 },
    edgeConcurrency: 512,
  });
});

test("a rate limit fills in its period, burst and key", () => {
  expect(policyOf(libraryMethod({ rateLimit: { requests: 10 } })).rateLimit).toEqual({
    requests: 10,
    periodMs: 1_000,
    burst: 10,
    key: RateLimit_Key.IP,
  });
});

test("a rate limit that lets nothing pass is refused at start", () => {
  expect(() => policyOf(libraryMethod({ rateLimit: { requests: 0 } }))).toThrow(/FindBook: rate_limit/);
});

test("retries fill in backoff and codes", () => {
  expect(policyOf(libraryMethod({ retry: { attempts: 2 } })).retry).toEqual({
    attempts: 2,
    perTryMs: undefined,
    baseBackoffMs: 25,
    maxBackoffMs: 100,
    codes: new Set([14]),
  });
});

test.each([
  ["1 attempt", { attempts: 1 }, /2 to 5 attempts/],
  ["6 attempts", { attempts: 6 }, /2 to 5 attempts/],
  ["an unknown code", { attempts: 2, codes: ["UNAVAILBLE"] }, /"UNAVAILBLE"/],
  ["the code OK", { attempts: 2, codes: ["OK"] }, /"OK"/],
])("retries with %s are refused at start", (_what, retry, reason) => {
  expect(() => policyOf(libraryMethod({ retry }))).toThrow(reason);
});

test("a method that is not idempotent cannot ask for retries and inherits none", () => {
  const idempotency = Idempotency.IDEMPOTENCY_UNKNOWN;
  expect(() => policyOf(libraryMethod({ retry: { attempts: 2 } }, { idempotency }))).toThrow(
    /needs an idempotency_level/,
  );
  const inherited = { defaults: { retry: { attempts: 2 } } };
  expect(policyOf(libraryMethod({}, { idempotency, ...inherited })).retry).toBeUndefined();
  expect(policyOf(libraryMethod({}, inherited)).retry?.attempts).toBe(2);
});

test.each([
  ["by all", { maxAge: seconds(60), shared: true }, "public, max-age=60"],
  ["by its user", { maxAge: seconds(60) }, "private, max-age=60"],
  ["and must be asked for again", {}, "no-cache"],
])("a reply that may be cached %s says so", (_what, cache, expected) => {
  expect(policyOf(libraryMethod({ cache })).cacheControl).toBe(expected);
});

test("what changes state is never cached", () => {
  const method = libraryMethod({ cache: { maxAge: seconds(60) } }, { idempotency: Idempotency.IDEMPOTENT });
  expect(policyOf(method).cacheControl).toBe("no-store");
});
