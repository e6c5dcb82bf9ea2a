/** Strings. Lengths are counted in code points by protovalidate and by JSON Schema alike. */
import type { StringRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import type { Schema } from "../schema/json.ts";
import type { Constrained } from "./constrained.ts";
import { escapePattern, isPortable } from "./portable-pattern.ts";
import { said } from "./said.ts";
import { stringFormat } from "./string-formats.ts";

export function stringRules(schema: Schema, rules: StringRules): Constrained {
  const format = stringFormat(rules);
  const patterns = patternsOf(rules);
  const portable = patterns.filter(isPortable);
  const withFormat = [...portable, ...(format.pattern ? [format.pattern] : [])];
  const refused = [
    ...(rules.notIn.length > 0 ? [{ enum: [...rules.notIn] }] : []),
    ...(said(rules, "notContains") ? [{ pattern: escapePattern(rules.notContains) }] : []),
  ];
  return {
    schema: {
      ...schema,
      ...lengths(rules),
      format: format.format,
      anyOf: format.anyOf,
      pattern: withFormat.length === 1 ? withFormat[0] : undefined,
      allOf: withFormat.length > 1 ? withFormat.map((pattern) => ({ pattern })) : undefined,
      const: said(rules, "const"),
      enum: rules.in.length > 0 ? [...rules.in] : undefined,
      not: refused.length > 1 ? { anyOf: refused } : refused[0],
    },
    notes: [
      ...format.notes,
      ...patterns
        .filter((pattern) => !isPortable(pattern))
        .map((pattern) => `Must match \`${pattern}\` (RE2).`),
      ...byteNotes(rules),
    ],
  };
}

function patternsOf(rules: StringRules): string[] {
  return [
    ...(said(rules, "pattern") ? [rules.pattern] : []),
    ...(said(rules, "prefix") ? [`^${escapePattern(rules.prefix)}`] : []),
    ...(said(rules, "suffix") ? [`${escapePattern(rules.suffix)}$`] : []),
    ...(said(rules, "contains") ? [escapePattern(rules.contains)] : []),
  ];
}

/** Bounds in bytes give weaker ones in characters: one has one to four bytes. */
function lengths(rules: StringRules): Schema {
  const least = said(rules, "len") ?? said(rules, "minLen");
  const most = said(rules, "len") ?? said(rules, "maxLen");
  const leastBytes = said(rules, "lenBytes") ?? said(rules, "minBytes") ?? 0n;
  const mostBytes = said(rules, "lenBytes") ?? said(rules, "maxBytes");
  const minLength = Math.max(Number(least ?? 0), Math.ceil(Number(leastBytes) / 4));
  const maxLength = Math.min(Number(most ?? Infinity), Number(mostBytes ?? Infinity));
  return { minLength: minLength || undefined, maxLength: maxLength === Infinity ? undefined : maxLength };
}

function byteNotes(rules: StringRules): string[] {
  const exact = said(rules, "lenBytes");
  if (exact !== undefined) return [`${exact} bytes in UTF-8.`];
  const least = said(rules, "minBytes");
  const most = said(rules, "maxBytes");
  return [
    ...(least === undefined ? [] : [`At least ${least} bytes in UTF-8.`]),
    ...(most === undefined ? [] : [`At most ${most} bytes in UTF-8.`]),
  ];
}
