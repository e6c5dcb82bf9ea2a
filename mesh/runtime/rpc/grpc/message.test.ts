import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { frame, SingleMessage } from "./message.ts";

const text = (message: SingleMessage) =>
  Buffer.from(message.end(Code.Internal)?.bytes ?? []).toString("utf8");

test("a message is whole wherever its chunks are cut", () => {
  const framed = frame(Buffer.from("hello"));
  for (let first = 0; first <= framed.length; first++) {
    for (let second = first; second <= framed.length; second++) {
      const message = new SingleMessage(100);
      message.push(framed.subarray(0, first));
      message.push(framed.subarray(first, second));
      message.push(framed.subarray(second));
      expect(text(message)).toBe("hello");
    }
  }
});

test("the flag tells whether a message is compressed", () => {
  const message = new SingleMessage(100);
  message.push(frame(Buffer.from("x"), true));
  expect(message.end(Code.Internal)?.compressed).toBe(true);
});

test("no bytes are no message, and an empty message is one", () => {
  expect(new SingleMessage(100).end(Code.Internal)).toBeUndefined();
  const message = new SingleMessage(100);
  message.push(frame(new Uint8Array(0)));
  expect(message.end(Code.Internal)?.bytes).toHaveLength(0);
});

test("a message above the limit is refused by its prefix, before it comes", () => {
  const message = new SingleMessage(4);
  expect(() => message.push(frame(Buffer.alloc(5)).subarray(0, 5))).toThrow("limit of 4 bytes");
  new SingleMessage(5).push(frame(Buffer.alloc(5)));
});

test("a second message is refused", () => {
  const two = Buffer.concat([frame(Buffer.from("a")), frame(Buffer.from("b"))]);
  expect(() => new SingleMessage(100).push(two)).toThrow("more than one message");
});

test("a message that breaks off is refused with the code that the side wants", () => {
  const message = new SingleMessage(100);
  message.push(frame(Buffer.from("hello")).subarray(0, 8));
  expect(() => message.end(Code.InvalidArgument)).toThrow(
    "[invalid_argument] protocol error: promised 5 bytes",
  );
  const prefix = new SingleMessage(100);
  prefix.push(Buffer.alloc(3));
  expect(() => prefix.end(Code.Internal)).toThrow("[internal] protocol error: promised a prefix");
});
