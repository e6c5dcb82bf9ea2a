import type { DescEnum } from "@bufbuild/protobuf";
import type { EnumRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import type { Schema } from "../schema/json.ts";
import type { Constrained } from "./constrained.ts";
import { said } from "./said.ts";

/** Enums: the names that remain. `defined_only` adds nothing, the schema has the defined ones only. */
export function enumRules(schema: Schema, rules: EnumRules, desc: DescEnum | undefined): Constrained {
  const exact = said(rules, "const");
  const allowed = (desc?.values ?? []).filter(
    ({ number }) =>
      (exact === undefined || number === exact) &&
      (rules.in.length === 0 || rules.in.includes(number)) &&
      !rules.notIn.includes(number),
  );
  if (!desc || allowed.length === desc.values.length) return { schema, notes: [] };
  return { schema: { ...schema, enum: allowed.map(({ name }) => name) }, notes: [] };
}
