/** protovalidate's field rules as keywords of JSON Schema, and as sentences where it has none. */
import type { DescField } from "@bufbuild/protobuf";
import type { FieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import type { Schema } from "../schema/json.ts";
import { anyRules } from "./any-rules.ts";
import { bytesRules } from "./bytes-rules.ts";
import { celNotes } from "./cel-notes.ts";
import { mapRules, repeatedRules } from "./collection-rules.ts";
import type { Constrained } from "./constrained.ts";
import { enumRules } from "./enum-rules.ts";
import { floatRules } from "./float-rules.ts";
import { integerRules } from "./integer-rules.ts";
import { longRules } from "./long-rules.ts";
import { said } from "./said.ts";
import { stringRules } from "./string-rules.ts";
import { durationRules, fieldMaskRules, timestampRules } from "./time-rules.ts";

/**
 * @param schema of a value without rules
 * @param field the field whose enum the rules speak of; undefined for map keys
 */
export function constrain(schema: Schema, rules: FieldRules, field: DescField | undefined): Constrained {
  const { schema: constrained, notes } = byType(schema, rules, field);
  // Rules of the contract's own, as extensions: the server knows them, JSON Schema cannot.
  const unknown = rules.type.value?.$unknown?.length
    ? ["The server checks more than this schema can say."]
    : [];
  return { schema: constrained, notes: [...notes, ...celNotes(rules), ...unknown] };
}

function byType(schema: Schema, { type }: FieldRules, field: DescField | undefined): Constrained {
  switch (type.case) {
    case "string":
      return stringRules(schema, type.value);
    case "bytes":
      return bytesRules(schema, type.value);
    case "bool":
      return { schema: { ...schema, const: said(type.value, "const") }, notes: [] };
    case "enum":
      return enumRules(schema, type.value, field?.enum);
    case "float":
    case "double":
      return floatRules(schema, type.value);
    case "int32":
    case "sint32":
    case "sfixed32":
    case "uint32":
    case "fixed32":
      return integerRules(schema, type.value);
    case "int64":
    case "sint64":
    case "sfixed64":
    case "uint64":
    case "fixed64":
      return longRules(schema, type.value);
    case "repeated":
      return repeatedRules(schema, type.value);
    case "map":
      return mapRules(schema, type.value);
    case "any":
      return anyRules(schema, type.value);
    case "duration":
      return durationRules(schema, type.value);
    case "timestamp":
      return timestampRules(schema, type.value);
    case "fieldMask":
      return fieldMaskRules(schema, type.value);
    default:
      return { schema, notes: [] };
  }
}
