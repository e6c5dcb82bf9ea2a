import type {
  Fixed32Rules,
  Int32Rules,
  SFixed32Rules,
  SInt32Rules,
  UInt32Rules,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import type { Schema } from "../schema/json.ts";
import type { Constrained } from "./constrained.ts";
import { range } from "./range.ts";
import { said } from "./said.ts";

type Rules = Int32Rules | SInt32Rules | SFixed32Rules | UInt32Rules | Fixed32Rules;

/** 32-bit integers, which JSON has as numbers. */
export function integerRules(schema: Schema, rules: Rules): Constrained {
  return {
    schema: {
      ...schema,
      ...range(rules),
      const: said(rules as Int32Rules, "const"),
      enum: rules.in.length > 0 ? [...rules.in] : undefined,
      not: rules.notIn.length > 0 ? { enum: [...rules.notIn] } : undefined,
    },
    notes: [],
  };
}
