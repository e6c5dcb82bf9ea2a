import type { DescEnum } from "@bufbuild/protobuf";
import type { FieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { enumRules } from "../rules/enum-rules.ts";
import type { Json } from "../schema/json.ts";

/** First value that says something: not the zero value, which mostly means "not known", and not a deprecated one. */
export function exampleOfEnum(desc: DescEnum, rules: FieldRules | undefined): Json {
  if (desc.typeName === "google.protobuf.NullValue") return null;
  const names =
    rules?.type.case === "enum"
      ? (enumRules({}, rules.type.value, desc).schema.enum as string[] | undefined)
      : undefined;
  const allowed = desc.values.filter(({ name }) => !names || names.includes(name));
  const value =
    allowed.find(({ number, deprecated }) => number !== 0 && !deprecated) ?? allowed[0] ?? desc.values[0];
  return value?.name ?? 0;
}
