import { expect, test } from "vitest";
import { parseTraceparent } from "./traceparent.ts";

const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
const span = "00f067aa0ba902b7";

test.each([
  [`00-${trace}-${span}-01`, true],
  [`00-${trace}-${span}-00`, false],
  [`00-${trace}-${span}-0a`, false],
  [`00-${trace}-${span}-0b`, true],
  [`cc-${trace}-${span}-01-what-the-future-will-be-like`, true],
])("%s is taken", (text, sampled) => {
  expect(parseTraceparent(text)).toEqual({ traceId: trace, spanId: span, sampled });
});

test.each([
  "",
  "hello",
  `00-${trace}-${span}`,
  `00-${trace}-${span}-01-more`,
  `ff-${trace}-${span}-01`,
  `00-${trace.toUpperCase()}-${span}-01`,
  `00-${"0".repeat(32)}-${span}-01`,
  `00-${trace}-${"0".repeat(16)}-01`,
  `00-${trace}-${span}-01\n{"level":"info"}`,
])("%j is nobody's", (text) => {
  expect(parseTraceparent(text)).toBeUndefined();
});
