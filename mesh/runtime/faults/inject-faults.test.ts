import { create } from "@bufbuild/protobuf";
import { Code, createClient, createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { Health, HealthCheckResponseSchema } from "#gen/grpc/health/v1/health_pb.ts";
import { readConfig } from "../config.ts";
import { busRights, FAULTS_BUCKET, operatorRights } from "../events/bus-rights.ts";
import { type Fault, parseFaults, writeFaults } from "./fault.ts";
import { injectFaults } from "./inject-faults.ts";

/** A service whose Check has this fault; a share of 0.3 hits when chance gives less. */
function served(fault: Partial<Fault> | undefined, chance = 0) {
  let handled = 0;
  const faults = {
    of: (service: string, method: string) =>
      service === "grpc.health.v1.Health" && method === "Check" ? (fault as Fault | undefined) : undefined,
    stop() {},
  };
  const transport = createRouterTransport(
    (router) =>
      router.service(Health, {
        check: () => {
          handled++;
          return create(HealthCheckResponseSchema, {});
        },
      }),
    { router: { interceptors: [injectFaults(faults, () => chance)] } },
  );
  const { check } = createClient(Health, transport);
  return { check: (timeoutMs?: number) => check({}, { timeoutMs }), handled: () => handled };
}

test("without a fault calls go through", async () => {
  const { check, handled } = served(undefined);
  await check();
  expect(handled()).toBe(1);
});

test.each(["UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL"] as const)(
  "an abort answers %s and the handler hears nothing",
  async (code) => {
    const { check, handled } = served({ abort: { share: 0.3, code } });
    const name = code.toLowerCase().replace(/(?:^|_)([a-z])/g, (_, letter) => letter.toUpperCase());
    await expect(check()).rejects.toMatchObject({ code: Code[name as keyof typeof Code] });
    expect(handled()).toBe(0);
  },
);

test("only the share is hit", async () => {
  const { check, handled } = served({ abort: { share: 0.3, code: "UNAVAILABLE" } }, 0.3);
  await check();
  expect(handled()).toBe(1);
});

test("a delay takes its time from the caller's deadline", async () => {
  const { check, handled } = served({ delay: { share: 1, ms: 60_000 } });
  await expect(check(30)).rejects.toMatchObject({ code: Code.DeadlineExceeded });
  expect(handled()).toBe(0);
});

test("a list with a fault that does nothing, too much or nowhere is refused", () => {
  const good = {
    method: "a.v1.B/C",
    abort: { share: 1, code: "UNAVAILABLE" },
    until: 1,
    actor: "ann",
  } as const;
  expect(parseFaults(writeFaults([good]))).toEqual([good]);
  for (const bad of [{ abort: undefined }, { abort: { share: 2, code: "UNAVAILABLE" } }, { method: "B" }])
    expect(() => parseFaults(writeFaults([{ ...good, ...bad } as Fault]))).toThrow();
});

test("without faults allowed nobody has a right on their list", () => {
  const work = { service: "shelf", publishes: [], streams: [], consumes: [] };
  const rights = (faults: boolean) =>
    JSON.stringify([busRights({ ...work, faults }), operatorRights([], faults)]);
  expect(rights(false)).not.toContain(FAULTS_BUCKET);
  // Only the operator writes.
  expect(busRights({ ...work, faults: true }).publish).not.toContain(`$KV.${FAULTS_BUCKET}.all`);
  expect(operatorRights([], true).publish).toContain(`$KV.${FAULTS_BUCKET}.all`);
});

test("a process in production refuses to have faults", () => {
  const env = {
    PORT: "0",
    NATS_URL: "nats://127.0.0.1:4222",
    WEFT_IDENTITY_KEY: "key",
    WEFT_TRUST_BUNDLE: "bundle",
    WEFT_JWKS_URL: "http://127.0.0.1/keys",
    WEFT_TOKEN_ISSUER: "issuer",
    WEFT_TOKEN_AUDIENCE: "audience",
  };
  expect(readConfig(env).faults).toBe(false);
  expect(readConfig({ ...env, WEFT_FAULTS: "allow" }).faults).toBe(true);
  expect(() => readConfig({ ...env, WEFT_FAULTS: "allow", NODE_ENV: "production" })).toThrow("WEFT_FAULTS");
});
