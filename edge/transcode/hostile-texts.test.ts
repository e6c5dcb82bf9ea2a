/** Texts on which careless parsers take for ever: each of these would not end within the time of a test. */
import { ScalarType } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { clientAddressFrom } from "../policies/client-address.ts";
import { notModified } from "./conditional.ts";
import type { HttpRequest } from "./exchange.ts";
import { parseFieldMask } from "./field-mask-text.ts";
import { acceptsGzip, JSON_TYPE, negotiate } from "./media.ts";
import { requestMetadata } from "./metadata.ts";
import { parseTemplate } from "./path-template.ts";
import { checkPath } from "./percent.ts";
import { Router } from "./router.ts";
import { scalarFromNumber, scalarFromText } from "./scalar.ts";
import { parseDuration, parseTimestamp } from "./time-text.ts";

/** As long as a body may be, and as long as headers may be. */
const LONG = 1_000_000;
const HEADER = 16_000;
const zeros = "0".repeat(LONG);

test.each([
  ["spaces around semicolons", `a/b${" ; ".repeat(2_000)}=`],
  ["spaces alone", `a/b${" ".repeat(HEADER)}=`],
  ["quotes that do not end", `a/b;c="${"\\".repeat(10_001)}`],
  ["many quotes", `a/b;${'c="",'.repeat(10_000)}"`],
  ["many commas", ",".repeat(HEADER)],
])("Accept: %s", (_what, header) => {
  expect(negotiate(header, [JSON_TYPE])).toBe(JSON_TYPE);
  acceptsGzip(header);
});

test.each([
  ["zeros within", `1${zeros}1`],
  ["zeros behind a point", `0.${zeros}1`],
  ["zeros on both sides", `1${zeros}.${zeros}1`],
  ["a large exponent", `1e${"9".repeat(LONG)}`],
  ["digits", "9".repeat(LONG)],
])("integers: %s", (_what, text) => {
  expect(() => scalarFromNumber(ScalarType.INT64, text)).toThrow();
  expect(() => scalarFromText(ScalarType.UINT32, text)).toThrow();
});

test("numbers whose zeros do not matter are still integers", () => {
  expect(scalarFromNumber(ScalarType.INT64, `12.${zeros}`)).toBe(12n);
  expect(scalarFromNumber(ScalarType.INT32, "0.00120e4")).toBe(12);
  expect(scalarFromNumber(ScalarType.INT32, `-0.${zeros}e5`)).toBe(0);
  expect(scalarFromNumber(ScalarType.INT64, "1200e-2")).toBe(12n);
});

test("other values", () => {
  expect(() => parseTimestamp(`2026-01-01T00:00:00.${zeros}Z`)).toThrow();
  expect(() => parseDuration(`${zeros}1`)).toThrow();
  expect(() => parseFieldMask("a.".repeat(LONG), true)).toThrow();
  expect(() => scalarFromText(ScalarType.BYTES, `${"A".repeat(LONG)}=${"=".repeat(LONG)}`)).toThrow();
});

test("addresses of proxies", () => {
  const addressOf = clientAddressFrom(["10.0.0.0/8"], "forwarded");
  const spaces = " ".repeat(HEADER);
  const request = { socket: { remoteAddress: "10.0.0.1" }, headers: { forwarded: `for=${spaces}"` } };
  expect(addressOf(request as unknown as HttpRequest)).toBe("10.0.0.1");
});

test("paths, entity tags and metadata", () => {
  const router = new Router();
  const template = parseTemplate("/v1/{name}:do");
  router.add({ httpMethod: "GET", template, headAllowed: true });
  expect(router.find("GET", `/v1/${":".repeat(LONG)}`).kind).toBe("none");
  expect(router.find("GET", `/v1/${":".repeat(LONG)}:do`).kind).toBe("found");
  expect(router.find("GET", "/v1/a:%64%6f").kind).toBe("found");
  checkPath(`/${"%41".repeat(LONG)}`);
  checkPath(`/${".".repeat(LONG)}`);
  expect(notModified(`"a"${" ,".repeat(HEADER)}x`, '"b"')).toBe(false);
  requestMetadata(
    ["x-bin", `${"A,".repeat(HEADER)}!`, "x-text", "\u007f".repeat(HEADER)],
    ",".repeat(10_000),
  );
});
