import { expect, test, vi } from "vitest";
import { pollingWorker } from "./polling-worker.ts";

test("it looks again at once while more waits, and ends the pause when stopped", async () => {
  const round = vi.fn(async () => round.mock.calls.length < 3);
  const worker = pollingWorker({ round, pollMs: 3_600_000, pauseAfterErrorMs: 0, onError: () => {} });
  worker.start();
  worker.start();
  await expect.poll(() => round.mock.calls.length).toBe(3);
  await worker.stop();
  expect(round).toHaveBeenCalledTimes(3);
});

test("a look that fails is told and tried again", async () => {
  const errors: unknown[] = [];
  const round = vi.fn(async () => {
    if (round.mock.calls.length === 1) throw new Error("away");
    return false;
  });
  const onError = (error: unknown) => errors.push(error);
  const worker = pollingWorker({ round, pollMs: 3_600_000, pauseAfterErrorMs: 0, onError });
  worker.start();
  await expect.poll(() => round.mock.calls.length).toBe(2);
  await worker.stop();
  expect(errors).toEqual([new Error("away")]);
});

test("stopping waits for the look under way, which hears of it", async () => {
  const ended: string[] = [];
  const began = Promise.withResolvers<void>();
  const worker = pollingWorker({
    round: (signal) => {
      began.resolve();
      return new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          ended.push("look");
          resolve(false);
        });
      });
    },
    pollMs: 0,
    pauseAfterErrorMs: 0,
    onError: () => {},
  });
  worker.start();
  await began.promise;
  await worker.stop();
  expect(ended).toEqual(["look"]);
});
