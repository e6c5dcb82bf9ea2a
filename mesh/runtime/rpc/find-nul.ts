import { type DescField, type DescMessage, type Message, ScalarType } from "@bufbuild/protobuf";

/** Reads one field of a message; the path of the first text with U+0000 in it, or undefined. */
type Look = (message: Record<string, unknown>) => string | undefined;

const looks = new WeakMap<DescMessage, Look[]>();

/**
 * Path of the first text that contains U+0000, by proto field names; undefined when there is none.
 * Protobuf allows the character, PostgreSQL's text does not (it is a protocol error there).
 */
export function findNul(schema: DescMessage, message: Message): string | undefined {
  let known = looks.get(schema);
  if (!known) {
    known = [];
    looks.set(schema, known); // before the fields: a message may contain its own kind
    known.push(...schema.fields.flatMap((field) => lookAt(field) ?? []));
  }
  for (const look of known) {
    const path = look(message as unknown as Record<string, unknown>);
    if (path !== undefined) return path;
  }
  return undefined;
}

function lookAt(field: DescField): Look | undefined {
  const within = valueLook(field);
  if (!within) return undefined;
  const { name, localName, oneof } = field;
  const joined = (value: unknown, at: string) => {
    const inner = within(value);
    return inner === undefined ? undefined : `${at}${inner}`;
  };
  return (message) => {
    if (oneof) {
      const chosen = message[oneof.localName] as { case?: string; value?: unknown };
      return chosen.case === localName ? joined(chosen.value, name) : undefined;
    }
    const value = message[localName];
    if (value === undefined) return undefined;
    if (field.fieldKind === "list")
      return first(value as unknown[], (item, index) => joined(item, `${name}[${index}]`));
    if (field.fieldKind === "map") {
      return first(Object.entries(value as object), ([key, item]) =>
        key.includes("\u0000") ? `${name} (a key)` : joined(item, `${name}["${key}"]`),
      );
    }
    return joined(value, name);
  };
}

/** Looks into one value: "" for a text with U+0000, ".path" for a message that has one. */
function valueLook(field: DescField): ((value: unknown) => string | undefined) | undefined {
  if (field.message) {
    const { message } = field;
    return (value) => {
      const path = findNul(message, value as Message);
      return path === undefined ? undefined : `.${path}`;
    };
  }
  const holdsText =
    field.scalar === ScalarType.STRING || (field.fieldKind === "map" && field.mapKey === ScalarType.STRING);
  if (!holdsText) return undefined;
  return (value) => (typeof value === "string" && value.includes("\u0000") ? "" : undefined);
}

function first<T>(
  items: readonly T[],
  look: (item: T, index: number) => string | undefined,
): string | undefined {
  for (const [index, item] of items.entries()) {
    const path = look(item, index);
    if (path !== undefined) return path;
  }
  return undefined;
}
