/** The CEL rules of a definition (x-kubernetes-validations) on an object. */
import { celEnv, parse, plan } from "@bufbuild/cel";
import type { Schema } from "./kubernetes-schema.ts";

const env = celEnv();

/** Rules that were looked at and rules that use what only an API server knows, for a test to see that some count. */
export const seen = { evaluated: 0, beyond: 0 };

export function celProblems(schema: Schema, value: unknown, path = ""): string[] {
  const rules = (schema["x-kubernetes-validations"] ?? []) as { rule: string; message?: string }[];
  const own = rules.flatMap(({ rule, message }) => {
    const holds = evaluate(rule, value);
    return holds === false ? [`${path || "/"}: ${message ?? rule}`] : [];
  });
  return [...own, ...inside(schema, value, path)];
}

function inside(schema: Schema, value: unknown, path: string): string[] {
  if (Array.isArray(value)) {
    const items = schema.items as Schema | undefined;
    return items ? value.flatMap((item, index) => celProblems(items, item, `${path}/${index}`)) : [];
  }
  if (typeof value !== "object" || value === null) return [];
  const properties = (schema.properties ?? {}) as Record<string, Schema>;
  return Object.entries(value).flatMap(([key, item]) =>
    properties[key] ? celProblems(properties[key], item, `${path}/${key}`) : [],
  );
}

/** Undefined for rules about changes, and for functions that this CEL lacks. */
function evaluate(rule: string, self: unknown): boolean | undefined {
  if (rule.includes("oldSelf")) return undefined;
  try {
    const result = plan(env, parse(rule))({ self: withIntegers(self) } as never);
    if (typeof result === "boolean") {
      seen.evaluated++;
      return result;
    }
  } catch {
    // Falls through: a function beyond the standard ones.
  }
  seen.beyond++;
  return undefined;
}

/** YAML's whole numbers are CEL's ints, not its doubles. */
function withIntegers(value: unknown): unknown {
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(withIntegers);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withIntegers(item)]));
}
