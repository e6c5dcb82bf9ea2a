import { expect, test } from "vitest";
import { Importance } from "#gen/weft/policy/v1/policy_pb.ts";
import { LoadShedder } from "./load-shedder.ts";

const late = (shedder: LoadShedder, windows: number) => {
  for (let i = 0; i < windows; i++) shedder.observe(150, 0.99);
};
/** Refused calls of a hundred. */
const refused = (shedder: LoadShedder, importance: Importance): number =>
  Array.from({ length: 100 }, () => shedder.sheds(importance)).filter(Boolean).length;
const shares = (shedder: LoadShedder) => ({
  low: refused(shedder, Importance.LOW),
  normal: refused(shedder, Importance.NORMAL),
  high: refused(shedder, Importance.HIGH),
});

test("nothing is refused while the event loop is in time", () => {
  const shedder = new LoadShedder(100);
  shedder.observe(99, 1);
  expect(shares(shedder)).toEqual({ low: 0, normal: 0, high: 0 });
});

test("the less important goes first, and a fifth of the important always passes", () => {
  const shedder = new LoadShedder(100);
  late(shedder, 2);
  expect(shares(shedder)).toEqual({ low: 50, normal: 0, high: 0 });
  late(shedder, 2);
  expect(shares(shedder)).toEqual({ low: 100, normal: 0, high: 0 });
  late(shedder, 3);
  expect(shares(shedder)).toEqual({ low: 100, normal: 75, high: 0 });
  late(shedder, 100);
  expect(shares(shedder)).toEqual({ low: 100, normal: 100, high: 80 });
});

test("it ends when the loop is in time again", () => {
  const shedder = new LoadShedder(100);
  late(shedder, 4);
  for (let i = 0; i < 10; i++) shedder.observe(5, 0.5);
  expect(shares(shedder)).toEqual({ low: 0, normal: 0, high: 0 });
});

test("it ends slowly while it may go on, and quickly once the loop has been in time for two seconds", () => {
  const shedder = new LoadShedder(100);
  const inTime = (windows: number) => {
    for (let i = 0; i < windows; i++) shedder.observe(5, 0.5);
    return Number(shedder.level.toFixed(2));
  };
  late(shedder, 12);
  expect(inTime(4)).toBe(2.6);
  late(shedder, 1);
  expect(inTime(4)).toBe(2.45);
  expect(inTime(1)).toBe(1.95);
  expect(inTime(4)).toBe(0);
});

test("a machine that is slow for another reason is no reason to refuse", () => {
  const shedder = new LoadShedder(100);
  for (let i = 0; i < 20; i++) shedder.observe(500, 0.1);
  expect(shares(shedder)).toEqual({ low: 0, normal: 0, high: 0 });
});

test("a blocked event loop is measured", async () => {
  const shedder = new LoadShedder(100).start();
  const deadline = Date.now() + 100_000;
  while (!shedder.sheds(Importance.LOW) && Date.now() < deadline) {
    const until = Date.now() + 200;
    while (Date.now() < until);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  shedder.stop();
  expect(Date.now()).toBeLessThan(deadline);
});
