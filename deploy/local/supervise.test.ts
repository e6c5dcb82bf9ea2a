import { expect, test } from "vitest";
import type { Exit } from "./child.ts";
import { type Instance, type Part, supervise } from "./supervise.ts";

/** A part whose processes the test ends itself. */
function partThat(onStart: (attempt: number) => void = () => {}) {
  let attempts = 0;
  let crash = () => {};
  const starts = new Map<number, PromiseWithResolvers<void>>();
  const startOf = (attempt: number) => {
    const known = starts.get(attempt) ?? Promise.withResolvers<void>();
    starts.set(attempt, known);
    return known;
  };
  const part: Part = {
    name: "shelf",
    async start(): Promise<Instance> {
      attempts += 1;
      startOf(attempts).resolve();
      onStart(attempts);
      const { promise: exited, resolve } = Promise.withResolvers<Exit>();
      crash = () => resolve({ code: 1, signal: null });
      return { pid: attempts, exited, stop: async () => resolve({ code: 0, signal: null }) };
    },
  };
  return { part, crash: () => crash(), start: (attempt: number) => startOf(attempt).promise };
}

test("the waits between restarts double up to the longest", async () => {
  const { part, crash, start } = partThat();
  const said: string[] = [];
  const onCrash = (text: string) => said.push(text.split(" in ")[1]!);
  const supervised = supervise(part, { onCrash, firstDelay: 1, maxDelay: 4 });
  await supervised.ready;
  for (const attempt of [2, 3, 4, 5]) {
    crash();
    await start(attempt);
    await Promise.resolve();
  }
  await supervised.stop();
  expect(said).toEqual(["1 ms", "2 ms", "4 ms", "4 ms"]);
});

test("a part that never gets ready is given up after three tries, with the last reason", async () => {
  const { part } = partThat((attempt) => {
    throw new Error(`reason ${attempt}`);
  });
  const supervised = supervise(part, { onCrash: () => {}, firstDelay: 1 });
  await expect(supervised.ready).rejects.toThrow("reason 3");
  expect(supervised.pid).toBeUndefined();
});

test("a part that was ready once is not given up", async () => {
  const { part, crash, start } = partThat((attempt) => {
    if (attempt > 1 && attempt < 6) throw new Error("not yet");
  });
  const supervised = supervise(part, { onCrash: () => {}, firstDelay: 1, maxDelay: 1 });
  await supervised.ready;
  crash();
  await start(6);
  await supervised.stop();
});

test("stopping ends a wait at once and starts nothing any more", async () => {
  const { part, crash } = partThat();
  const waiting = Promise.withResolvers<void>();
  const supervised = supervise(part, {
    onCrash: () => waiting.resolve(),
    firstDelay: 60_000,
    maxDelay: 60_000,
  });
  await supervised.ready;
  crash();
  await waiting.promise;
  await supervised.stop();
  expect(supervised.pid).toBeUndefined();
});

test("what was stopped can be started again, and is kept running as before", async () => {
  const { part, crash, start } = partThat();
  const supervised = supervise(part, { onCrash: () => {}, firstDelay: 1 });
  await supervised.ready;
  await supervised.stop();
  expect(supervised).toMatchObject({ state: "stopped", pid: undefined });
  await supervised.start();
  expect(supervised).toMatchObject({ state: "ready", pid: 2, crashes: 0 });
  expect(() => supervised.start()).toThrow("shelf is ready already");
  crash();
  await start(3);
  await supervised.stop();
  expect(supervised).toMatchObject({ crashes: 1, lastEnd: "ended (exit code 1)" });
});
