/** At most one member of each oneof, or exactly one: `oneOf` over which of them is there. */
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import type { Direction } from "../schema/direction.ts";
import type { Schema } from "../schema/json.ts";
import { isOneofRequired, messageRules } from "./read-rules.ts";

/**
 * Keywords for the oneofs of a message: its own, and those that its rules make (buf.validate.message.oneof).
 * @param fields those fields of the message that the schema has
 */
export function oneofRules(message: DescMessage, fields: readonly DescField[], direction: Direction): Schema {
  const isHere = (field: DescField) => fields.includes(field);
  const own = message.oneofs.map((oneof) => ({
    members: oneof.fields.filter(isHere),
    // A member that is elsewhere, in the path, may be the one that is required.
    required: direction === "request" && isOneofRequired(oneof) && oneof.fields.every(isHere),
  }));
  const byRule = direction === "request" ? (messageRules(message)?.oneof ?? []) : [];
  const ruled = byRule.map((rule) => ({
    members: fields.filter((field) => rule.fields.includes(field.name)),
    required: rule.required && rule.fields.every((name) => fields.some((field) => field.name === name)),
  }));
  const choices = [...own, ...ruled]
    .filter(({ members, required }) => members.length > 1 || (required && members.length > 0))
    .map(({ members, required }) => choice(members, required));
  return choices.length > 1 ? { allOf: choices } : (choices[0] ?? {});
}

function choice(members: readonly DescField[], required: boolean): Schema {
  const each = members.map(({ jsonName }) => ({ title: jsonName, required: [jsonName] }));
  const none = {
    title: "none",
    properties: Object.fromEntries(members.map(({ jsonName }) => [jsonName, false])),
  };
  return { oneOf: required ? each : [...each, none] };
}
