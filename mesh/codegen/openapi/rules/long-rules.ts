import type {
  Fixed64Rules,
  Int64Rules,
  SFixed64Rules,
  SInt64Rules,
  UInt64Rules,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import type { Schema } from "../schema/json.ts";
import type { Constrained } from "./constrained.ts";
import { said } from "./said.ts";

type Rules = Int64Rules | SInt64Rules | SFixed64Rules | UInt64Rules | Fixed64Rules;

/** 64-bit integers, which JSON has as strings: their bounds can only be told. */
export function longRules(schema: Schema, rules: Rules): Constrained {
  const exact = said(rules as Int64Rules, "const");
  return {
    schema: {
      ...schema,
      const: exact === undefined ? undefined : String(exact),
      enum: rules.in.length > 0 ? rules.in.map(String) : undefined,
      not: rules.notIn.length > 0 ? { enum: rules.notIn.map(String) } : undefined,
    },
    notes: boundNotes(rules, String),
  };
}

interface Bounds<T> {
  readonly lessThan: { readonly case?: string | undefined; readonly value?: T };
  readonly greaterThan: { readonly case?: string | undefined; readonly value?: T };
}

/** Sentences for bounds of values that JSON has as strings. */
export function boundNotes<T>({ lessThan, greaterThan }: Bounds<T>, show: (value: T) => string): string[] {
  const words: Record<string, string> = {
    lt: "Less than",
    lte: "At most",
    gt: "Greater than",
    gte: "At least",
  };
  return [greaterThan, lessThan].flatMap(({ case: kind, value }) =>
    kind !== undefined && words[kind] && value !== undefined ? [`${words[kind]} ${show(value)}.`] : [],
  );
}
