import { expect, test } from "vitest";
import { settingsFromEnv, settingsFromJson } from "./settings.ts";

test("the same settings come from the environment and from JSON", () => {
  const fromEnv = settingsFromEnv({
    WEFT_TRUSTED_PROXIES: "10.0.0.0/8, ::1",
    WEFT_CORS_ORIGINS: "https://a.example,http://localhost:3000",
    WEFT_ADDRESS_RATE_LIMIT: "100/s",
    WEFT_REPLICAS: "3",
    WEFT_GRACE_MS: "",
    PATH: "/bin",
  });
  const fromJson = settingsFromJson({
    trusted_proxies: ["10.0.0.0/8", "::1"],
    cors_origins: ["https://a.example", "http://localhost:3000"],
    address_rate_limit: "100/s",
    replicas: 3,
  });
  expect(fromEnv).toEqual(fromJson);
  expect(fromEnv).toMatchObject({ address_rate_limit: { requests: 100, periodMs: 1_000 }, grace_ms: 8_000 });
});

test.each([
  ["WEFT_CORS_ORIGINS", "https://a.example/"],
  ["WEFT_CORS_ORIGINS", "a.example"],
  ["WEFT_ADDRESS_RATE_LIMIT", "0/s"],
  ["WEFT_ADDRESS_RATE_LIMIT", "100"],
  ["WEFT_RATE_LIMIT_STORE", "redis"],
  ["WEFT_REPLICAS", "0"],
  ["WEFT_SHED_LATE_MS", "-1"],
  ["WEFT_FORWARDED_HEADER", "x-real-ip"],
])("%s=%s is refused by name", (name, value) => {
  expect(() => settingsFromEnv({ [name]: value })).toThrow(name);
});

test("an unknown key is refused", () => {
  expect(() => settingsFromJson({ cors_origin: [] })).toThrow("cors_origin");
});
