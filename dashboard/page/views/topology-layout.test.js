import { expect, test } from "vitest";
import { layOut, nodeWidth } from "./topology-layout.js";

const edge = (from, to) => ({ id: `${from}>${to}`, from, to });
const names = ["outside", "desk", "shelf", "ledger", "post"];
const edges = [
  edge("outside", "desk"),
  edge("desk", "shelf"),
  edge("desk", "ledger"),
  edge("shelf", "ledger"),
  edge("shelf", "post"),
  edge("ledger", "desk"),
];

test("callers stand left of those they call, though some call back", () => {
  const { nodes, lines } = layOut(names, edges);
  for (const [left, right] of [
    ["outside", "desk"],
    ["desk", "shelf"],
    ["shelf", "ledger"],
  ])
    expect(nodes.get(left).x + nodeWidth).toBeLessThan(nodes.get(right).x);
  expect([...lines.keys()].sort()).toEqual(edges.map(({ id }) => id).sort());
});

test("no two nodes lie on each other, all lie within the picture, and the same graph gives the same one", () => {
  const drawing = layOut(names, edges);
  const boxes = [...drawing.nodes.values()];
  for (const [index, one] of boxes.entries()) {
    expect(one.y).toBeGreaterThanOrEqual(0);
    expect(one.y + one.height).toBeLessThanOrEqual(drawing.height);
    expect(one.x + nodeWidth).toBeLessThanOrEqual(drawing.width);
    for (const other of boxes.slice(index + 1))
      expect(one.x !== other.x || one.y + one.height <= other.y || other.y + other.height <= one.y).toBe(
        true,
      );
  }
  expect(layOut(names, edges)).toEqual(drawing);
});

test("a node without lines and a call to oneself do no harm", () => {
  const { nodes, lines } = layOut(["alone", "self"], [edge("self", "self"), edge("self", "gone")]);
  expect([...nodes.keys()]).toEqual(["alone", "self"]);
  expect(lines.size).toBe(0);
});
