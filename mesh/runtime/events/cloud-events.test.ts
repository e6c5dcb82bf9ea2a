import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeCloudEvent, encodeCloudEvent, MalformedEventError } from "./cloud-events.ts";

const event = {
  id: "0190a5c0-0000-7000-8000-000000000000",
  source: "/services/library",
  type: "library.v1.BookLent",
  time: new Date("2026-01-02T03:04:05.678Z"),
  key: "shelf 1",
  version: 42n,
  requestId: "request-1",
  traceparent: `00-${"a".repeat(32)}-${"b".repeat(16)}-01`,
  data: new Uint8Array([1, 2, 3]),
};

test("an event is written in CloudEvents binary mode", () => {
  const headers = encodeCloudEvent(event);
  expect(Object.fromEntries(headers.keys().map((name) => [name, headers.get(name)]))).toEqual({
    "content-type": "application/protobuf",
    "ce-specversion": "1.0",
    "ce-id": event.id,
    "ce-source": "/services/library",
    "ce-type": "library.v1.BookLent",
    "ce-time": "2026-01-02T03:04:05.678Z",
    "ce-subject": "shelf%201",
    "ce-partitionkey": "shelf%201",
    "ce-sequence": "00000000000000000042",
    "ce-traceparent": event.traceparent,
    "x-request-id": "request-1",
    "Nats-Msg-Id": event.id,
  });
});

test("any event comes back as it was written", () => {
  const text = fc
    .string({ minLength: 1, maxLength: 60, unit: "binary" })
    .filter((value) => value.isWellFormed());
  const events = fc.record({
    id: fc.uuid(),
    source: fc.constant(event.source),
    type: fc.constant(event.type),
    time: fc.date({ min: new Date(0), max: new Date("9999-12-31T23:59:59.999Z"), noInvalidDate: true }),
    key: text,
    version: fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { nil: undefined }),
    requestId: fc.option(text, { nil: undefined }),
    traceparent: fc.option(fc.constant(event.traceparent), { nil: undefined }),
    data: fc.uint8Array(),
  });
  fc.assert(
    fc.property(events, (written) => {
      expect(decodeCloudEvent(encodeCloudEvent(written), written.data)).toEqual(written);
    }),
  );
});

test("attributes that this mesh does not know are ignored", () => {
  const headers = encodeCloudEvent(event);
  headers.set("ce-shelfcolour", "red");
  expect(decodeCloudEvent(headers, event.data)).toEqual(event);
});

test.each<[string, string, string | undefined, string]>([
  ["another spec version", "ce-specversion", "0.3", 'header ce-specversion is "0.3"'],
  ["a missing spec version", "ce-specversion", undefined, "header ce-specversion is missing"],
  ["a missing id", "ce-id", undefined, "header ce-id is missing"],
  ["an id that is too long", "ce-id", "x".repeat(256), "longer than 255"],
  ["a message id that differs", "Nats-Msg-Id", "other", "differs from ce-id"],
  ["a missing source", "ce-source", undefined, "header ce-source is missing"],
  ["a missing type", "ce-type", undefined, "header ce-type is missing"],
  ["a missing key", "ce-partitionkey", undefined, "header ce-partitionkey is missing"],
  ["another content type", "content-type", "application/json", "header content-type"],
  ["a time that is no timestamp", "ce-time", "yesterday", "not an RFC 3339 timestamp"],
  ["a time without a zone", "ce-time", "2026-01-02T03:04:05", "not an RFC 3339 timestamp"],
  ["a sequence that is no number", "ce-sequence", "1e3", "not a whole number"],
  ["broken percent-encoding", "ce-partitionkey", "%E0%A4%A", "not percent-encoded UTF-8"],
])("%s is refused", (_case, name, value, reason) => {
  const headers = encodeCloudEvent(event);
  if (value === undefined) headers.delete(name);
  else headers.set(name, value);
  const decode = () => decodeCloudEvent(headers, event.data);
  expect(decode).toThrow(MalformedEventError);
  expect(decode).toThrow(reason);
});

test("a header that is given twice is refused", () => {
  const headers = encodeCloudEvent(event);
  headers.append("ce-type", "library.v1.ShelfOpened");
  expect(() => decodeCloudEvent(headers, event.data)).toThrow("header ce-type is given 2 times");
});

test("a message without headers is refused", () => {
  expect(() => decodeCloudEvent(undefined, event.data)).toThrow(MalformedEventError);
});
