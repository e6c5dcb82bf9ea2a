import type { AnyRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import type { Schema } from "../schema/json.ts";
import type { Constrained } from "./constrained.ts";

/** google.protobuf.Any: which types it may hold. */
export function anyRules(schema: Schema, rules: AnyRules): Constrained {
  const allowed = rules.in.length > 0 ? { enum: [...rules.in] } : {};
  const refused = rules.notIn.length > 0 ? { not: { enum: [...rules.notIn] } } : {};
  if (rules.in.length + rules.notIn.length === 0) return { schema, notes: [] };
  return { schema: { ...schema, properties: { "@type": { ...allowed, ...refused } } }, notes: [] };
}
