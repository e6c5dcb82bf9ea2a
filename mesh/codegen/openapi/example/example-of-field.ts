import type { DescField, DescMessage, ScalarType } from "@bufbuild/protobuf";
import type { FieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { fieldRules } from "../rules/read-rules.ts";
import type { Json } from "../schema/json.ts";
import { exampleOfEnum } from "./example-of-enum.ts";
import { exampleOfScalar } from "./example-of-scalar.ts";
import { ruledExample } from "./ruled-example.ts";

/**
 * Example of a field's value.
 * @param ofMessage makes the example of a message inside
 */
export function exampleOfField(field: DescField, ofMessage: (desc: DescMessage) => Json): Json | undefined {
  const rules = fieldRules(field);
  switch (field.fieldKind) {
    case "scalar":
      return exampleOfScalar(field.scalar, rules, field.name);
    case "enum":
      return exampleOfEnum(field.enum, rules);
    case "message":
      return ruledExample(rules) ?? ofMessage(field.message);
    case "list":
      return listExample(field, rules, ofMessage);
    case "map": {
      const keys = rules?.type.case === "map" ? rules.type.value.keys : undefined;
      const values = rules?.type.case === "map" ? rules.type.value.values : undefined;
      return { [String(exampleOfScalar(field.mapKey, keys, "key"))]: element(field, values, ofMessage) };
    }
  }
}

/** As many items as there must be, one at least. They are equal: where items must differ, more than one cannot be shown. */
function listExample(
  field: DescField & { fieldKind: "list" },
  rules: FieldRules | undefined,
  ofMessage: (desc: DescMessage) => Json,
): Json {
  const list = rules?.type.case === "repeated" ? rules.type.value : undefined;
  const item = element(field, list?.items, ofMessage);
  return new Array<Json>(Math.min(Math.max(Number(list?.minItems ?? 0), 1), 10)).fill(item);
}

function element(
  field: DescField & { fieldKind: "list" | "map" },
  rules: FieldRules | undefined,
  ofMessage: (desc: DescMessage) => Json,
): Json {
  if (field.message) return ruledExample(rules) ?? ofMessage(field.message);
  if (field.enum) return exampleOfEnum(field.enum, rules);
  return exampleOfScalar(
    field.scalar as ScalarType,
    rules,
    field.fieldKind === "list" ? field.name.replace(/s$/, "") : "value",
  );
}
