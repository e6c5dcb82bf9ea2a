import { create } from "@bufbuild/protobuf";
import { StructSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { HttpRuleSchema } from "#gen/google/api/http_pb.ts";
import { findNul } from "./find-nul.ts";

test("texts are found wherever they stand, and named by their path", () => {
  const rule = create(HttpRuleSchema, {
    pattern: { case: "get", value: "/v1" },
    additionalBindings: [
      { body: "*" },
      { pattern: { case: "custom", value: { kind: "X", path: "a\u0000b" } } },
    ],
  });
  expect(findNul(HttpRuleSchema, rule)).toBe("additional_bindings[1].custom.path");
  expect(findNul(HttpRuleSchema, create(HttpRuleSchema, { pattern: { case: "get", value: "\u0000" } }))).toBe(
    "get",
  );
  expect(findNul(HttpRuleSchema, create(HttpRuleSchema, { body: "*" }))).toBeUndefined();
});

test("map keys and values count, too", () => {
  const text = create(ValueSchema, { kind: { case: "stringValue", value: "x\u0000" } });
  expect(findNul(StructSchema, create(StructSchema, { fields: { shelf: text } }))).toBe(
    'fields["shelf"].string_value',
  );
  const key = create(StructSchema, { fields: { "a\u0000": create(ValueSchema) } });
  expect(findNul(StructSchema, key)).toBe("fields (a key)");
});
