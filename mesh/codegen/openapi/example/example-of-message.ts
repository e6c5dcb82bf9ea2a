/** Example values: the same contract always gives the same ones, and requests obey their rules. */
import {
  type DescField,
  type DescMessage,
  fromJson,
  type JsonValue,
  type Registry,
} from "@bufbuild/protobuf";
import { behaviourOf } from "../contract/field-behaviour.ts";
import type { FieldPath } from "../contract/model.ts";
import { messageRules } from "../rules/read-rules.ts";
import { validatorFor } from "../rules/required-fields.ts";
import type { Direction } from "../schema/direction.ts";
import type { Json, JsonObject } from "../schema/json.ts";
import { exampleOfField } from "./example-of-field.ts";
import { wellKnownExample } from "./well-known-example.ts";

/** Messages inside messages that an example shows. */
const deepest = 4;

/**
 * Example of a request message, without the fields that stand elsewhere.
 * @returns undefined when no value was found that the server would take
 */
export function requestExample(
  desc: DescMessage,
  without: readonly FieldPath[],
  registry: Registry,
): Json | undefined {
  const whole = exampleOfMessage(desc, "request", registry);
  const taken = obeying(desc, whole, registry);
  return taken === undefined ? undefined : remove(taken, without);
}

/** Example of any message, in ProtoJSON. */
export function exampleOfMessage(
  desc: DescMessage,
  direction: Direction,
  registry: Registry,
  open: readonly DescMessage[] = [],
): Json {
  const known = wellKnownExample(desc);
  if (known !== undefined) return known;
  if (open.includes(desc) || open.length >= deepest) return {};
  const fields = desc.fields.filter((field) => isShown(field, direction, registry));
  return Object.fromEntries(
    fields.flatMap((field): [string, Json][] => {
      const value = exampleOfField(field, (inner) =>
        exampleOfMessage(inner, direction, registry, [...open, desc]),
      );
      return value === undefined || isEmpty(value, field) ? [] : [[field.jsonName, value]];
    }),
  );
}

/** One member of a oneof is enough; what only the other side writes, or nobody should use, is left out. */
function isShown(field: DescField, direction: Direction, registry: Registry): boolean {
  const { outputOnly, inputOnly } = behaviourOf(registry, field);
  if (field.deprecated || (direction === "request" ? outputOnly : inputOnly)) return false;
  const byRule = messageRules(field.parent)?.oneof.find((rule) => rule.fields.includes(field.name));
  if (byRule && byRule.fields[0] !== field.name) return false;
  return !field.oneof || field.oneof.fields.find((member) => !member.deprecated) === field;
}

/** Where a message repeats itself the example ends; an empty object would say nothing. */
function isEmpty(value: Json, field: DescField): boolean {
  const first = Array.isArray(value) ? value[0] : value;
  const hasFields = (field.message?.fields.length ?? 0) > 0;
  return hasFields && typeof first === "object" && first !== null && Object.keys(first).length === 0;
}

/** `example` as it is, or without the optional fields whose rules it breaks. */
function obeying(desc: DescMessage, example: Json, registry: Registry): Json | undefined {
  const refused = violated(desc, example, registry);
  if (refused?.size === 0) return example;
  if (!refused || !isObject(example)) return undefined;
  const rest = Object.fromEntries(Object.entries(example).filter(([name]) => !refused.has(name)));
  return violated(desc, rest, registry)?.size === 0 ? rest : undefined;
}

/** JSON names of the top-level fields that are refused, "" for the message as a whole; undefined when no rule runs. */
function violated(desc: DescMessage, example: Json, registry: Registry): Set<string> | undefined {
  const message = fromJson(desc, example as JsonValue, { registry });
  const result = validatorFor(registry).validate(desc, message);
  if (result.kind === "error") return undefined;
  if (result.kind === "valid") return new Set();
  return new Set(
    result.violations.map(({ field: [first] }) =>
      first?.kind === "field"
        ? (desc.fields.find((field) => field.number === first.number)?.jsonName ?? "")
        : "",
    ),
  );
}

function remove(value: Json, paths: readonly FieldPath[]): Json {
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]): [string, Json][] => {
      const here = paths.filter(([first]) => first.jsonName === name);
      if (inner === undefined || here.some((path) => path.length === 1)) return [];
      return [
        [
          name,
          here.length > 0
            ? remove(
                inner,
                here.map((path) => path.slice(1) as unknown as FieldPath),
              )
            : inner,
        ],
      ];
    }),
  );
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
