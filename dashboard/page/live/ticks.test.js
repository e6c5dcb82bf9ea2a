import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { followTicks } from "./ticks.js";

/** Streams that were opened, the newest last. */
let sources;
let page;

class Source {
  static CLOSED = 2;
  readyState = 1;
  #hear = {};

  constructor(url) {
    this.url = url;
    sources.push(this);
  }
  addEventListener(type, hear) {
    this.#hear[type] = hear;
  }
  close() {
    this.readyState = Source.CLOSED;
  }
  tick(sequence) {
    this.#hear.tick({ data: JSON.stringify({ sequence: String(sequence) }) });
  }
  fail(readyState) {
    this.readyState = readyState;
    this.#hear.error();
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  sources = [];
  const hear = {};
  page = {
    hidden: false,
    addEventListener: (type, heard) => {
      hear[type] = heard;
    },
    hide(hidden) {
      page.hidden = hidden;
      hear.visibilitychange();
    },
  };
  vi.stubGlobal("EventSource", Source);
  vi.stubGlobal("document", page);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function follow() {
  const heard = { ticks: [], states: [], restarts: 0 };
  followTicks({
    onTick: ({ sequence }) => heard.ticks.push(Number(sequence)),
    onState: (state) => heard.states.push(state),
    onRestart: () => heard.restarts++,
  });
  return heard;
}

test("silence is a broken stream: it is taken up after the last tick", () => {
  const heard = follow();
  expect(sources.at(-1).url).toBe("/ticks");
  sources.at(-1).tick(7);
  expect(heard.states.at(-1)).toEqual({ name: "live", missed: 0 });
  vi.advanceTimersByTime(5_000);
  expect(heard.states.at(-1).name).toBe("lost");
  expect(sources.at(-1).url).toBe("/ticks?after=7");
  sources.at(-1).tick(8);
  expect(heard.ticks).toEqual([7, 8]);
  expect(heard.states.at(-1)).toEqual({ name: "live", missed: 0 });
});

test("a refusal is tried again, a break is left to the browser", () => {
  follow();
  sources.at(-1).fail(0);
  vi.advanceTimersByTime(2_000);
  expect(sources).toHaveLength(1);
  sources.at(-1).fail(Source.CLOSED);
  vi.advanceTimersByTime(1_000);
  expect(sources).toHaveLength(2);
});

test("ticks that are gone are counted, one that comes twice is heard once", () => {
  const heard = follow();
  for (const sequence of [3, 3, 4, 9]) sources.at(-1).tick(sequence);
  expect(heard.ticks).toEqual([3, 4, 9]);
  expect(heard.states.at(-1).missed).toBe(4);
});

test("a dashboard that began anew is noticed by its numbers", () => {
  const heard = follow();
  for (const sequence of [50, 1]) sources.at(-1).tick(sequence);
  expect(heard).toMatchObject({ ticks: [50, 1], restarts: 1 });
  expect(heard.states.at(-1).missed).toBe(0);
});

test("a hidden window gives its stream up after a while, and catches up when it is looked at", () => {
  const heard = follow();
  sources.at(-1).tick(5);
  page.hide(true);
  for (let second = 0; second < 30; second++) {
    vi.advanceTimersByTime(1_000);
    if (sources.at(-1).readyState === 1) sources.at(-1).tick(6 + second);
  }
  expect(heard.states.at(-1).name).toBe("paused");
  const opened = sources.length;
  vi.advanceTimersByTime(600_000);
  expect(sources).toHaveLength(opened);
  page.hide(false);
  expect(sources.at(-1).url).toMatch(/^\/ticks\?after=3\d$/);
});
