import { toJson } from "@bufbuild/protobuf";
import { DurationSchema, FieldMaskSchema, TimestampSchema } from "@bufbuild/protobuf/wkt";
import type { FieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { said } from "../rules/said.ts";
import type { Json } from "../schema/json.ts";

/** The value that the rules themselves give: their `example`, or else their `const` or the first of `in`. */
export function ruledExample(rules: FieldRules | undefined): Json | undefined {
  const value = rules?.type.value;
  if (!value) return undefined;
  const example = "example" in value ? value.example[0] : undefined;
  const exact = "const" in value ? said(value, "const") : undefined;
  const listed = "in" in value ? value.in[0] : undefined;
  return jsonOf(example ?? exact ?? listed, rules.type.case);
}

function jsonOf(value: unknown, kind: FieldRules["type"]["case"]): Json | undefined {
  if (value === undefined || kind === "any" || kind === "enum") return undefined;
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (kind === "duration") return toJson(DurationSchema, value as never);
  if (kind === "timestamp") return toJson(TimestampSchema, value as never);
  if (kind === "fieldMask")
    return typeof value === "string" ? value : toJson(FieldMaskSchema, value as never);
  return value as Json;
}
