import type { MapRules, RepeatedRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import type { Schema } from "../schema/json.ts";
import type { Constrained } from "./constrained.ts";
import { said } from "./said.ts";

/** Lists. Rules of their items are the items' own. */
export function repeatedRules(schema: Schema, rules: RepeatedRules): Constrained {
  return {
    schema: {
      ...schema,
      minItems: count(said(rules, "minItems")),
      maxItems: count(said(rules, "maxItems")),
      uniqueItems: said(rules, "unique") || undefined,
    },
    notes: [],
  };
}

/** Maps. Rules of keys and values are their own. */
export function mapRules(schema: Schema, rules: MapRules): Constrained {
  return {
    schema: {
      ...schema,
      minProperties: count(said(rules, "minPairs")),
      maxProperties: count(said(rules, "maxPairs")),
    },
    notes: [],
  };
}

function count(value: bigint | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}
