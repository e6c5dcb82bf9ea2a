import { expect, test } from "vitest";
import { outcomeBadges, toneOf } from "./badges.js";
import { sparkline } from "./sparkline.js";

/** Badges as "TONE TEXT". */
const shown = (badges) =>
  badges
    .flat(Infinity)
    .filter((each) => each?.attributes)
    .map(({ attributes, children }) => `${attributes.class.replace("badge ", "")} ${children.join("")}`);

test.each([
  [{ status: "201" }, ["good 201"]],
  [{ status: "201", errors: 2 }, ["good 201", "bad 2 failed"]],
  [{ status: "404" }, ["calm 404"]],
  [{ status: "503", errors: 3 }, ["bad 503"]],
  [{ status: "UNAVAILABLE", errors: 1 }, ["bad UNAVAILABLE"]],
  [{ status: "NOT_FOUND" }, ["calm NOT_FOUND"]],
  [{}, ["good ok"]],
  [{ errors: 1 }, ["bad failed"]],
])("the outcome of %j is %j", (trace, badges) => expect(shown(outcomeBadges(trace))).toEqual(badges));

test("a process that crashed stays red while it starts", () => {
  expect(toneOf({ state: "STARTING" })).toBe("warn");
  expect(toneOf({ state: "STARTING", restarts: 1 })).toBe("bad");
  expect(toneOf({ state: "READY", restarts: 3 })).toBe("good");
});

/** Paths of the lines of a drawing, as far as their moves and lines. */
const pathsOf = (node) =>
  node.tag === "svg:path" ? [node.attributes.d] : (node.children ?? []).flatMap((child) => pathsOf(child));
const options = { label: "rate", seconds: 60, format: String };

test("seconds without samples are gaps and not noughts, and no samples at all are said", () => {
  const points = [1, 2, undefined, 4, 5].map((value, index) => ({ at: index * 1_000, value }));
  const [path] = pathsOf(sparkline([{ name: "rate", points }], options));
  expect(path.match(/M/g)).toHaveLength(2);
  expect(path.match(/L/g)).toHaveLength(2);
  const nothing = sparkline([{ name: "rate", points: [{ at: 0, value: undefined }] }], options);
  expect(nothing.children).toEqual(["no samples"]);
});
