import { expect, test } from "vitest";
import { type BusLook, ofWindow } from "./bus.ts";

const look = (at: number): BusLook => ({ at, streams: [], consumers: [] });
const times = (...all: number[]) => ofWindow(all.map(look)).map(({ at }) => at);

test("looks of ten seconds are kept, and the one that was before them", () => {
  expect(times(1_000)).toEqual([1_000]);
  expect(times(9_000, 1_000)).toEqual([9_000, 1_000]);
  expect(times(20_000, 15_000, 10_000, 5_000)).toEqual([20_000, 15_000, 10_000]);
  // Nobody had watched for a while.
  expect(times(90_000, 5_000, 1_000)).toEqual([90_000, 5_000]);
});
