import type { DoubleRules, FloatRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import type { Json, Schema } from "../schema/json.ts";
import type { Constrained } from "./constrained.ts";
import { range } from "./range.ts";
import { said } from "./said.ts";

/** Floating point numbers. Rules rule out some or all of the values that JSON has as words, such as "NaN". */
export function floatRules(schema: Schema, rules: FloatRules | DoubleRules): Constrained {
  const exact = said(rules as DoubleRules, "const");
  if (exact !== undefined) return { schema: { const: jsonNumber(exact) }, notes: [] };
  if (rules.in.length > 0) return { schema: { enum: rules.in.map(jsonNumber) }, notes: [] };
  const [numbers] = (schema.anyOf ?? []) as Schema[];
  const refused = rules.notIn.map(jsonNumber);
  const finite = { ...numbers, ...range(rules), not: refused.length > 0 ? { enum: refused } : undefined };
  const words = allowedWords(rules).filter((word) => !refused.includes(word));
  return {
    schema: words.length > 0 ? { anyOf: [finite, { type: "string", enum: words }] } : finite,
    notes: [],
  };
}

function allowedWords(rules: FloatRules | DoubleRules): string[] {
  if (said(rules as DoubleRules, "finite")) return [];
  const upper = rules.lessThan.case !== undefined;
  const lower = rules.greaterThan.case !== undefined;
  if (!upper && !lower) return ["NaN", "Infinity", "-Infinity"];
  const outside = upper && lower && Number(rules.greaterThan.value) >= Number(rules.lessThan.value);
  return [...(!upper || outside ? ["Infinity"] : []), ...(!lower || outside ? ["-Infinity"] : [])];
}

function jsonNumber(value: number): Json {
  return Number.isFinite(value) ? value : String(value);
}
