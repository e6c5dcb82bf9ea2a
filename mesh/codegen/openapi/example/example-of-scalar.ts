import { ScalarType } from "@bufbuild/protobuf";
import type {
  BytesRules,
  FieldRules,
  Int32Rules,
  Int64Rules,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { said } from "../rules/said.ts";
import type { Json } from "../schema/json.ts";
import { is64Bit, isFloating } from "../schema/scalar.ts";
import { ruledExample } from "./ruled-example.ts";
import { exampleOfString } from "./string-example.ts";

/**
 * Example of a scalar in JSON.
 * @param name of the field, in proto's form: text is made of its words
 */
export function exampleOfScalar(type: ScalarType, rules: FieldRules | undefined, name: string): Json {
  const given = ruledExample(rules);
  if (given !== undefined) return given;
  const value = rules?.type.value;
  if (type === ScalarType.BOOL) return true;
  if (type === ScalarType.STRING)
    return exampleOfString(rules?.type.case === "string" ? rules.type.value : undefined, name);
  if (type === ScalarType.BYTES) return exampleOfBytes(value as BytesRules | undefined);
  if (is64Bit(type)) return String(inRange(value as Int64Rules | undefined, 42n, 1n));
  return inRange(value as Int32Rules | undefined, isFloating(type) ? 1.5 : 1, 1);
}

/** `wanted` if the bounds allow it, else the nearest value that they do. */
function inRange<T extends number | bigint>(
  rules:
    | {
        greaterThan: { case: string | undefined; value?: unknown };
        lessThan: { case: string | undefined; value?: unknown };
        notIn: readonly unknown[];
      }
    | undefined,
  wanted: T,
  step: T,
): T {
  if (!rules) return wanted;
  const plus = (a: T, b: T): T => ((a as number) + (b as number)) as T;
  const minus = (a: T, b: T): T => ((a as number) - (b as number)) as T;
  const low = rules.greaterThan.value as T | undefined;
  const high = rules.lessThan.value as T | undefined;
  const least = low !== undefined && rules.greaterThan.case === "gt" ? plus(low, step) : low;
  const most = high !== undefined && rules.lessThan.case === "lt" ? minus(high, step) : high;
  let value = wanted;
  if (most !== undefined && value > most) value = most;
  if (least !== undefined && value < least) value = least;
  while (rules.notIn.includes(value)) value = plus(value, step);
  return value;
}

function exampleOfBytes(rules: BytesRules | undefined): string {
  const length = rules ? Number(said(rules, "len") ?? said(rules, "minLen") ?? 0n) : 0;
  return Buffer.from("example".padEnd(length, "."))
    .subarray(0, length || 7)
    .toString("base64");
}
