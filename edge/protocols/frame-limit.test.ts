import { expect, test } from "vitest";
import { frameMessage } from "../transcode/message-frames.ts";
import { FrameLimit } from "./frame-limit.ts";

const frames = (...sizes: number[]): Buffer =>
  Buffer.concat(sizes.map((size) => frameMessage(Buffer.alloc(size, 0xff))));

test.each([1, 2, 3, 4, 5, 6, 7, 100])("messages up to the limit pass in pieces of %i bytes", (piece) => {
  const limit = new FrameLimit(10);
  const bytes = frames(10, 0, 3, 10);
  for (let at = 0; at < bytes.length; at += piece) limit.pass(bytes.subarray(at, at + piece));
});

test.each([1, 4, 5, 6, 100])("a larger one is refused by its header, in pieces of %i bytes", (piece) => {
  const limit = new FrameLimit(10);
  const bytes = Buffer.concat([frames(10), frames(11).subarray(0, 5)]);
  const pass = () => {
    for (let at = 0; at < bytes.length; at += piece) limit.pass(bytes.subarray(at, at + piece));
  };
  expect(pass).toThrow("larger than 10 bytes");
});
