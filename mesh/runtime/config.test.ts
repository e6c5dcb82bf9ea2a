import { expect, test } from "vitest";
import { readConfig } from "./config.ts";

const least = {
  PORT: "0",
  NATS_URL: "nats://127.0.0.1:4222",
  WEFT_JWKS_URL: "https://issuer.test/keys",
  WEFT_TOKEN_ISSUER: "https://issuer.test",
  WEFT_TOKEN_AUDIENCE: "library",
};

test("without a word about it callers need an identity, which the kit itself proves", () => {
  expect(readConfig(least)).toMatchObject({ directCalls: false, mesh: "none", namespace: "default" });
});

test.each([
  ["WEFT_MESH", { WEFT_MESH: "consul" }],
  ["WEFT_DIRECT_CALLS", { WEFT_DIRECT_CALLS: "allow", NODE_ENV: "production" }],
  ["WEFT_NAMESPACE", { WEFT_NAMESPACE: "a/b" }],
  ["WEFT_TRUST_DOMAIN", { WEFT_TRUST_DOMAIN: "Weft.Local" }],
  ["WEFT_DIRECT_CALLS", { WEFT_DIRECT_CALLS: "yes" }],
])("%s is refused by its name", (name, wrong) => {
  expect(() => readConfig({ ...least, ...wrong })).toThrow(name);
});
