/** Validation that refuses what it took before (buf.validate). Weaker rules are additions. */
import {
  type DescField,
  type DescMessage,
  type DescMethod,
  getOption,
  hasOption,
  toJson,
} from "@bufbuild/protobuf";
import {
  type FieldRules,
  FieldRulesSchema,
  field as fieldRules,
  message as messageRules,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import type { Change } from "../change.ts";
import type { Surface } from "../surface.ts";
import { at } from "./at.ts";

export function compareRules(before: Surface, now: Surface): Change[] {
  const sent = messagesSent(now);
  return [...before.messages.values()].flatMap((was) => {
    const is = now.messages.get(was.typeName);
    if (!is || !sent.has(is.typeName)) return [];
    const fields = is.fields.flatMap((field) => {
      const old = was.fields.find(({ number }) => number === field.number);
      return compareField(old, field, was);
    });
    return [...fields, ...wholeMessage(was, is)];
  });
}

function compareField(was: DescField | undefined, is: DescField, message: DescMessage): Change[] {
  const what = `${is.parent.typeName}.${is.name}`;
  const [old, rules] = [was && rulesOf(was), rulesOf(is)];
  if (!was) {
    // Nobody sends a new field yet.
    const anyField = message.fields[0];
    if (!rules?.required || !anyField) return [];
    const means = "a new field that must be sent";
    return [at(what, is, "required", means, { kind: "missing field", field: is })];
  }
  const changes: Change[] = [];
  if (rules?.required && !old?.required)
    changes.push(at(what, is, "required", "must be sent now", { kind: "missing field", field: was }));
  const stricter = stricterRules(jsonOf(old), jsonOf(rules));
  if (stricter.length > 0)
    changes.push(
      at(what, is, "rules", `takes less than before: ${stricter.join(", ")}`, { kind: "field", field: was }),
    );
  return changes;
}

function wholeMessage(was: DescMessage, is: DescMessage): Change[] {
  const idsOf = (message: DescMessage) =>
    hasOption(message, messageRules)
      ? getOption(message, messageRules).cel.map(({ id, expression }) => `${id || expression}`)
      : [];
  const old = new Set(idsOf(was));
  return idsOf(is)
    .filter((id) => !old.has(id))
    .map((id) =>
      at(is.typeName, is, `rule ${id}`, `must obey the rule "${id}" now`, {
        kind: "sent message",
        message: was,
      }),
    );
}

function rulesOf(field: DescField): FieldRules | undefined {
  return hasOption(field, fieldRules) ? getOption(field, fieldRules) : undefined;
}

/** Flat: "string.minLen" → 3. */
function jsonOf(rules: FieldRules | undefined): Map<string, unknown> {
  const flat = new Map<string, unknown>();
  const walk = (value: unknown, path: string) => {
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      for (const [key, inner] of Object.entries(value)) walk(inner, path ? `${path}.${key}` : key);
    else if (path !== "required") flat.set(path, value);
  };
  if (rules) walk(toJson(FieldRulesSchema, rules), "");
  return flat;
}

/** Rules that are new, or have moved to the strict side. */
function stricterRules(old: ReadonlyMap<string, unknown>, now: ReadonlyMap<string, unknown>): string[] {
  return [...now].flatMap(([rule, value]) => {
    if (rule === "ignore") return [];
    const was = old.get(rule);
    const told = `${rule} ${JSON.stringify(value)}`;
    if (was === undefined) return [told];
    if (JSON.stringify(was) === JSON.stringify(value)) return [];
    const end = rule.split(".").at(-1)!;
    if (end === "in")
      return (was as unknown[]).some((each) => !(value as unknown[]).includes(each)) ? [told] : [];
    if (/^(min|gt)/.test(end)) return size(value) > size(was) ? [told] : [];
    if (/^(max|lt)/.test(end)) return size(value) < size(was) ? [told] : [];
    return [told];
  });
}

/** Numbers are themselves, durations their seconds; 64-bit numbers and durations are text in JSON. */
function size(value: unknown): number {
  return Number.parseFloat(String(value));
}

/** Full names of messages that some request holds, itself included. */
function messagesSent({ rpcs }: Surface): ReadonlySet<string> {
  const seen = new Set<string>();
  const visit = (message: DescMessage) => {
    if (seen.has(message.typeName)) return;
    seen.add(message.typeName);
    for (const { message: inner } of message.fields) if (inner) visit(inner);
  };
  for (const { desc } of rpcs.values()) visit((desc as DescMethod).input);
  return seen;
}
