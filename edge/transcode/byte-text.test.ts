import { isUtf8 } from "node:buffer";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fromBytes, sequenceLength, toBytes } from "./byte-text.ts";

test("a text comes back from its bytes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(fromBytes(toBytes(text))).toBe(text);
      expect(toBytes(text)).toHaveLength(Buffer.byteLength(text));
    }),
  );
});

test("sequences are taken exactly where they are UTF-8", () => {
  // The bytes at which the rules of Unicode's table 3-7 change, each with its neighbours.
  const edges = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec];
  const values = [...edges, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff];
  for (const lead of values.filter((byte) => byte > 0x7f))
    for (const second of values)
      for (const third of values)
        for (const size of [1, 2, 3, 4]) {
          const bytes = Buffer.from([lead, second, third, 0x80]).subarray(0, size);
          const length = sequenceLength(bytes, 0, size);
          const found = [2, 3, 4].find(
            (end) => end <= size && isUtf8(bytes.subarray(0, end)) && oneSequence(end, lead),
          );
          expect(length, bytes.toString("hex")).toBe(found ?? 0);
        }
});

/** Whether a sequence with this lead has this length; shorter ones followed by ASCII are UTF-8, too. */
function oneSequence(length: number, lead: number): boolean {
  return length === (lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4);
}
