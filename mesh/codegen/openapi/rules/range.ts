import type { Schema } from "../schema/json.ts";

interface Bounds {
  readonly lessThan: { readonly case: "lt" | "lte" | string | undefined; readonly value?: unknown };
  readonly greaterThan: { readonly case: "gt" | "gte" | string | undefined; readonly value?: unknown };
}

/**
 * Keywords for lower and upper bound. Where the lower one is above the upper one, protovalidate wants a value
 * outside of both.
 */
export function range({ lessThan, greaterThan }: Bounds): Schema {
  const lower = bound(greaterThan, "gt", "exclusiveMinimum", "minimum");
  const upper = bound(lessThan, "lt", "exclusiveMaximum", "maximum");
  const outside =
    typeof greaterThan.value === "number" &&
    typeof lessThan.value === "number" &&
    greaterThan.value >= lessThan.value;
  const point = greaterThan.case === "gte" && lessThan.case === "lte" && greaterThan.value === lessThan.value;
  return outside && !point ? { anyOf: [lower, upper] } : { ...lower, ...upper };
}

function bound(
  rule: Bounds["lessThan"],
  exclusive: string,
  exclusiveKeyword: string,
  keyword: string,
): Schema {
  if (typeof rule.value !== "number") return {};
  return { [rule.case === exclusive ? exclusiveKeyword : keyword]: rule.value };
}
