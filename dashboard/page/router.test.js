import { afterEach, expect, test, vi } from "vitest";
import { currentPlace, linkTo } from "./router.js";

afterEach(() => vi.unstubAllGlobals());

test("a link leads back to where it came from, whatever names hold", () => {
  const hash = linkTo("explorer", ["library.v1.Shelf/Lend", "a b?c#d%"], { text: "x & y", empty: "" });
  vi.stubGlobal("location", { hash });
  const { view, path, query } = currentPlace();
  expect({ view, path }).toEqual({ view: "explorer", path: ["library.v1.Shelf/Lend", "a b?c#d%"] });
  expect(Object.fromEntries(query)).toEqual({ text: "x & y" });
});

test("no address, and one that nobody encoded, are places too", () => {
  vi.stubGlobal("location", { hash: "" });
  expect(currentPlace()).toMatchObject({ view: "overview", path: [] });
  vi.stubGlobal("location", { hash: "#/logs/100%" });
  expect(currentPlace()).toMatchObject({ view: "logs", path: ["100%"] });
});
