import { expect, test } from "vitest";
import { findingsIn } from "./schema-check.js";

const schema = {
  $ref: "#/$defs/Loan",
  $defs: {
    Loan: {
      type: "object",
      required: ["items"],
      properties: {
        items: { type: "array", minItems: 1, maxItems: 2, items: { $ref: "#/$defs/Item" } },
        note: { type: "string", maxLength: 5, pattern: "^[a-z]*$" },
        kind: { enum: ["SHORT", "LONG"] },
        days: { anyOf: [{ type: "integer", maximum: 30 }, { type: "string" }] },
        labels: { type: "object", additionalProperties: { type: "string" } },
      },
    },
    Item: {
      type: "object",
      properties: { copies: { type: "integer", minimum: 1 }, of: { $ref: "#/$defs/Item" } },
    },
  },
};
const findings = (value) => findingsIn(JSON.stringify(value), schema);

test("what obeys the schema has no findings", () => {
  const loan = {
    items: [{ copies: 2, of: { copies: 1 } }],
    note: "abc",
    kind: "LONG",
    days: "3",
    labels: { a: "b" },
  };
  expect(findings(loan)).toEqual([]);
});

test.each([
  [{}, "the request: needs items"],
  [[], "the request: must be an object"],
  [{ items: [] }, "items: needs at least 1"],
  [{ items: [{ copies: 0 }] }, "items[0].copies: must be at least 1"],
  [{ items: [{ of: { copies: "2" } }] }, "items[0].of.copies: must be an integer"],
  [{ items: [{}], colour: 1 }, "the request: has no field colour"],
  [{ items: [{}], note: "toolong" }, "note: takes at most 5 characters"],
  [{ items: [{}], note: "A" }, "note: must match ^[a-z]*$"],
  [{ items: [{}], kind: "NEVER" }, "kind: must be one of SHORT, LONG"],
  [{ items: [{}], days: 31 }, "days: is none of what it may be"],
  [{ items: [{}], labels: { a: 1 } }, "labels.a: must be a string"],
])("%j: %s", (value, text) => expect(findings(value)).toEqual([text]));

test("half-typed JSON is one finding, and a wrong list has an end", () => {
  expect(findingsIn('{"items": [', schema)).toEqual([expect.stringMatching(/^not JSON: /)]);
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`no${index}`, 1]));
  expect(findings({ items: [{}], ...many })).toHaveLength(20);
});
