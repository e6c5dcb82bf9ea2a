import { expect, test } from "vitest";
import { absoluteLimit, idleLimit, judgeRefresh, sessionExpiry } from "./session.ts";

const login = new Date("2026-01-01T00:00:00Z");
const after = (ms: number) => new Date(login.getTime() + ms);
const day = 24 * 60 * 60 * 1_000;

test("a session that is used lives for seven more days", () => {
  expect(sessionExpiry(login, login)).toEqual(after(7 * day));
  expect(sessionExpiry(login, after(6 * day))).toEqual(after(13 * day));
});

test("no session lives longer than 30 days", () => {
  expect(sessionExpiry(login, after(29 * day))).toEqual(after(30 * day));
  expect([idleLimit, absoluteLimit]).toEqual([7 * day, 30 * day]);
});

test("an unused token of a living session is exchanged", () => {
  expect(judgeRefresh({ expiresAt: after(day) }, {}, after(day - 1))).toBe("rotate");
});

test("a token is refused from the moment its session expires", () => {
  expect(judgeRefresh({ expiresAt: after(day) }, {}, after(day))).toBe("invalid");
});

test("a token of a session that ended is refused", () => {
  expect(judgeRefresh({ expiresAt: after(day), endedAt: login }, { usedAt: null }, after(1))).toBe("invalid");
});

test("a used token is called reused, however its session ended", () => {
  const used = { usedAt: login };
  expect(judgeRefresh({ expiresAt: after(day) }, used, after(1))).toBe("reused");
  expect(judgeRefresh({ expiresAt: after(day), endedAt: after(1) }, used, after(2))).toBe("reused");
  expect(judgeRefresh({ expiresAt: after(day) }, used, after(2 * day))).toBe("reused");
});
