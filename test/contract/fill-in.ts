/** Examples have names in the place of values: put values in, and compare with what was answered. */
import type { Values } from "./provider-states.ts";

/** Puts values in the place of their names. @throws Error for a name without a value */
export function fillIn(json: unknown, values: Values): unknown {
  if (Array.isArray(json)) return json.map((each) => fillIn(each, values));
  if (typeof json === "object" && json !== null)
    return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, fillIn(value, values)]));
  if (typeof json !== "string") return json;
  return json.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`nothing that is given has the value "${name}"`);
    return value;
  });
}

/**
 * Where `actual` does not hold what is read of it; empty when all is there. Lists are compared from their start;
 * an empty list must be empty.
 */
export function missing(read: unknown, actual: unknown, path = ""): string[] {
  if (read === "$any") return actual === undefined || actual === null ? [`${path}: is not there`] : [];
  if (Array.isArray(read)) {
    if (!Array.isArray(actual)) return [`${path}: is no list`];
    if (read.length === 0 && actual.length > 0) return [`${path}: is not empty`];
    return read.flatMap((each, index) => missing(each, actual[index], `${path}[${index}]`));
  }
  if (typeof read === "object" && read !== null) {
    if (typeof actual !== "object" || actual === null) return [`${path || "it"}: is not there`];
    const fields = actual as Record<string, unknown>;
    return Object.entries(read).flatMap(([key, value]) => missing(value, fields[key], `${path}.${key}`));
  }
  return read === actual ? [] : [`${path}: is ${JSON.stringify(actual)}, not ${JSON.stringify(read)}`];
}

/** Values of the names in `pattern` that make it `actual`; undefined when nothing does. */
export function matching(pattern: unknown, actual: unknown, known: Values = {}): Values | undefined {
  if (typeof pattern === "string") {
    const names = [...pattern.matchAll(/\$\{(\w+)\}/g)].map((match) => match[1]!);
    const parts = pattern.split(/\$\{\w+\}/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    const found = new RegExp(`^${parts.join("(.+)")}$`).exec(String(actual));
    if (!found) return undefined;
    const values = names.map((name, index) => [name, found[index + 1]!] as const);
    if (values.some(([name, value]) => known[name] !== undefined && known[name] !== value)) return undefined;
    return { ...known, ...Object.fromEntries(values) };
  }
  if (typeof pattern !== "object" || pattern === null) return pattern === actual ? known : undefined;
  const inner = actual as Record<string, unknown> | undefined;
  if (typeof inner !== "object" || inner === null) return undefined;
  if (Array.isArray(pattern) && pattern.length !== (actual as unknown[]).length) return undefined;
  let values: Values | undefined = known;
  for (const [key, value] of Object.entries(pattern)) values = values && matching(value, inner[key], values);
  return values;
}
