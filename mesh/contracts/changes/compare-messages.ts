/** Fields that are gone, or are not what they were on the wire or in JSON. */
import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import type { Change } from "../change.ts";
import type { Surface } from "../surface.ts";
import { at } from "./at.ts";

export function compareMessages(before: Surface, now: Surface): Change[] {
  return [...before.messages.values()].flatMap((was) => {
    const is = now.messages.get(was.typeName);
    if (is) return was.fields.flatMap((field) => compareField(field, is));
    const where = now.registry.getFile(was.file.proto.name) ?? was;
    return was.fields.map((field) =>
      at(name(field), where, "removed", `the message ${was.typeName} is gone`, { kind: "field", field }),
    );
  });
}

function name(field: DescField): string {
  return `${field.parent.typeName}.${field.name}`;
}

function compareField(was: DescField, message: DescMessage): Change[] {
  const touches = { kind: "field", field: was } as const;
  const is = message.fields.find(({ number }) => number === was.number);
  const namesake = message.fields.find((field) => field.name === was.name);
  if (!is) {
    const means = namesake ? `has the number ${namesake.number}, not ${was.number}` : "the field is gone";
    return [at(name(was), namesake ?? message, namesake ? "number" : "removed", means, touches)];
  }
  if (namesake && namesake !== is) {
    const means = `has the number ${namesake.number}; its number ${was.number} is "${is.name}" now`;
    return [at(name(was), namesake, "number", means, touches)];
  }
  const change = (id: string, means: string) => at(name(was), is, id, means, touches);
  const changes: Change[] = [];
  if (!namesake)
    changes.push(
      typeOf(was) === typeOf(is)
        ? change("renamed", `is called "${is.name}", in JSON "${is.jsonName}"`)
        : change("number reused", `its number ${was.number} is "${is.name}" of type ${typeOf(is)} now`),
    );
  else if (was.jsonName !== is.jsonName)
    changes.push(change("JSON name", `is "${is.jsonName}" in JSON, not "${was.jsonName}"`));
  if (namesake && typeOf(was) !== typeOf(is))
    changes.push(change("type", `is of type ${typeOf(is)}, not ${typeOf(was)}`));
  if (was.oneof?.name !== is.oneof?.name)
    changes.push(
      change(
        "oneof",
        is.oneof ? `belongs to the oneof "${is.oneof.name}" now` : `left the oneof "${was.oneof!.name}"`,
      ),
    );
  const sameShape = namesake && typeOf(was) === typeOf(is) && was.oneof?.name === is.oneof?.name;
  if (sameShape && hasPresence(was) !== hasPresence(is))
    changes.push(
      change(
        "presence",
        hasPresence(is)
          ? "is optional now: a default value is left out of replies, and left out is not the default"
          : "is not optional any more: left out and the default value are the same now",
      ),
    );
  return changes;
}

/** Whether a field that is left out can be told from one that has its default value. */
function hasPresence({ presence }: DescField): boolean {
  return presence !== FeatureSet_FieldPresence.IMPLICIT;
}

/** "repeated int32", "map<string, shop.v1.Thing>" */
function typeOf(field: DescField): string {
  const inner = field.message?.typeName ?? field.enum?.typeName ?? scalar(field);
  if (field.fieldKind === "list") return `repeated ${inner}`;
  if (field.fieldKind === "map") return `map<${ScalarType[field.mapKey].toLowerCase()}, ${inner}>`;
  return inner;
}

function scalar(field: DescField): string {
  return field.scalar === undefined ? "message" : ScalarType[field.scalar].toLowerCase();
}
