import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { type Tick, TickSchema } from "#gen/weft/dashboard/v1/dashboard_pb.ts";
import { Ring } from "../sources/ring.ts";
import { followTicks } from "./follow-ticks.ts";
import type { Ticker } from "./ticker.ts";

/** A ticker that ticks when told. */
function ticker(size = 100) {
  const ticks = new Ring<Tick>(size);
  const hears = new Set<(tick: Tick) => void>();
  const made: Ticker = {
    ticks,
    points: new Ring(1),
    watch(hear) {
      hears.add(hear);
      return () => hears.delete(hear);
    },
    touch() {},
    nextTick: () => new Promise(() => {}),
    stop: async () => {},
  };
  const tick = () => {
    const next = ticks.push((sequence) => create(TickSchema, { sequence: BigInt(sequence) }));
    for (const hear of hears) hear(next);
  };
  return { made, tick, watchers: () => hears.size };
}

/** Sequences that a reader gets until it has so many. */
async function read(made: Ticker, after: number, count: number, between = () => {}): Promise<number[]> {
  const seen: number[] = [];
  for await (const { sequence } of followTicks(made, after, new AbortController().signal)) {
    seen.push(Number(sequence));
    if (seen.length === count) break;
    between();
  }
  return seen;
}

test("who comes back gets every tick it missed, then the new ones, without a gap", async () => {
  const { made, tick, watchers } = ticker();
  for (let count = 0; count < 5; count++) tick();
  expect(await read(made, 2, 5, tick)).toEqual([3, 4, 5, 6, 7]);
  expect(watchers()).toBe(0);
});

test("who comes first begins with the newest", async () => {
  const { made, tick } = ticker();
  for (let count = 0; count < 5; count++) tick();
  expect(await read(made, 0, 2, tick)).toEqual([5, 6]);
});

test("what is not kept any more is missing, and the jump shows it", async () => {
  const { made, tick } = ticker(3);
  for (let count = 0; count < 10; count++) tick();
  expect(await read(made, 2, 3)).toEqual([8, 9, 10]);
});

test("a number of an earlier life of the dashboard begins anew", async () => {
  const { made, tick } = ticker();
  tick();
  tick();
  expect(await read(made, 500, 1)).toEqual([2]);
});

test("a reader that ends is forgotten", async () => {
  const { made, tick, watchers } = ticker();
  const gone = new AbortController();
  const reading = followTicks(made, 0, gone.signal);
  tick();
  await reading.next();
  expect(watchers()).toBe(1);
  const last = reading.next();
  gone.abort();
  expect((await last).done).toBe(true);
  expect(watchers()).toBe(0);
});
