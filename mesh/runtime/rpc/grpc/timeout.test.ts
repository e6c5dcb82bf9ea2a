import { expect, test } from "vitest";
import { formatTimeout, parseTimeout } from "./timeout.ts";

test.each([
  ["1H", 3_600_000],
  ["2M", 120_000],
  ["3S", 3_000],
  ["250m", 250],
  ["500u", 0.5],
  ["99999999n", 99.999999],
])("%s is %d ms", (header, ms) => {
  expect(parseTimeout(header)).toBeCloseTo(ms, 9);
});

test.each(["", "1", "m", "123456789m", "-1S", "1.5S", "1 S", "1s", "1x"])("%j is no timeout", (header) => {
  expect(() => parseTimeout(header)).toThrow("grpc-timeout");
});

test.each([0.25, 1, 19.7, 2_000, 99_999_999, 1e8, 1e12])(
  "%d ms fit in eight digits, never rounded up",
  (ms) => {
    const header = formatTimeout(ms);
    expect(header).toMatch(/^\d{1,8}[HMSmun]$/);
    expect(parseTimeout(header)).toBeLessThanOrEqual(ms);
  },
);
