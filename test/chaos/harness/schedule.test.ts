import { expect, test } from "vitest";
import { Random } from "./random.ts";
import { scheduleOf } from "./schedule.ts";
import type { SystemUnderTest } from "./system-under-test.ts";

const library = {
  processes: ["books", "loans"],
  links: [{ from: "loans", to: "books" }],
  ownFaults: { flood: 2 },
} as unknown as SystemUnderTest<never>;

const faults = (seed: string, kinds: string[], count = 200) =>
  scheduleOf(library, { random: new Random(seed), kinds: new Set(kinds), every: 1_000 })
    .take(count)
    .toArray();

test("a seed repeats its schedule, and another one has another", () => {
  expect(faults("1", ["kill", "link", "flood"])).toEqual(faults("1", ["kill", "link", "flood"]));
  expect(faults("1", ["kill", "link", "flood"])).not.toEqual(faults("2", ["kill", "link", "flood"]));
});

test("only the chosen kinds come, each with what it needs, one after the other", () => {
  const all = faults("3", ["kill", "pause", "link", "flood"]);
  expect(new Set(all.map(({ kind }) => kind))).toEqual(new Set(["kill", "pause", "link", "flood"]));
  for (const { kind, target, link } of all) {
    if (kind === "kill" || kind === "pause") expect(library.processes).toContain(target);
    if (kind === "link") expect([target, link?.kind]).toEqual(["loans→books", expect.any(String)]);
  }
  expect(all.map(({ at }) => at)).toEqual(all.map(({ at }) => at).toSorted((left, right) => left - right));
  expect(new Set(faults("3", ["kill"]).map(({ kind }) => kind))).toEqual(new Set(["kill"]));
});

test("streams of one seed do not shift each other", () => {
  const random = new Random("4");
  const first = random.stream("load").next();
  random.next();
  random.stream("faults").next();
  expect(random.stream("load").next()).toBe(first);
});

test("faults hit what they are to hit, and hold as long as they are to", () => {
  const few = scheduleOf(library, {
    random: new Random("5"),
    kinds: new Set(["kill", "pause"]),
    every: 1_000,
    on: new Set(["loans"]),
    lasting: [35_000, 36_000],
  });
  for (const { target, lasts } of few.take(50)) {
    expect(target).toBe("loans");
    expect(lasts).toBeGreaterThanOrEqual(35_000);
    expect(lasts).toBeLessThanOrEqual(36_000);
  }
});
