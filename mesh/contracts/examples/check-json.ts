/** ProtoJSON with placeholders against a message: what it touches, and what the message does not have. */
import { type DescEnum, type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";

/** Any value that is there. */
export const ANY = "$any";

export class JsonCheck {
  readonly fields = new Set<string>();
  readonly messages = new Set<string>();
  readonly enums = new Set<string>();
  readonly problems: string[] = [];

  message(desc: DescMessage, value: unknown, path: string): void {
    this.messages.add(desc.typeName);
    if (value === ANY || isWellKnown(desc)) return;
    if (typeof value !== "object" || value === null || Array.isArray(value))
      return this.#wrong(path, `a ${desc.typeName}`, value);
    for (const [key, inner] of Object.entries(value)) {
      const field = desc.fields.find(({ jsonName, name }) => jsonName === key || name === key);
      if (!field) {
        const names = desc.fields.map(({ jsonName }) => jsonName).join(", ");
        this.problems.push(`${path}${key}: ${desc.typeName} has no such field; it has ${names || "none"}`);
        continue;
      }
      this.fields.add(`${desc.typeName}.${field.name}`);
      this.#field(field, inner, `${path}${key}`);
    }
  }

  #field(field: DescField, value: unknown, path: string): void {
    if (field.enum) this.enums.add(field.enum.typeName);
    if (value === ANY) return;
    if (field.fieldKind === "list") {
      if (!Array.isArray(value)) return this.#wrong(path, "a list", value);
      for (const [index, each] of value.entries()) this.#one(field, each, `${path}[${index}]`);
    } else if (field.fieldKind === "map") {
      if (typeof value !== "object" || value === null) return this.#wrong(path, "a map", value);
      for (const [key, each] of Object.entries(value)) this.#one(field, each, `${path}.${key}`);
    } else this.#one(field, value, path);
  }

  #one(field: DescField, value: unknown, path: string): void {
    if (field.message) return this.message(field.message, value, `${path}.`);
    if (isPlaceholder(value)) return;
    if (field.enum) return this.#value(field.enum, value, path);
    const type = field.scalar ?? ScalarType.STRING;
    if (!fits(type, value)) this.#wrong(path, `a ${ScalarType[type].toLowerCase()}`, value);
  }

  #value(desc: DescEnum, value: unknown, path: string): void {
    const names = desc.values.map(({ name }) => name);
    if (typeof value === "string" && names.includes(value)) this.enums.add(`${desc.typeName}.${value}`);
    else
      this.problems.push(
        `${path}: ${JSON.stringify(value)} is no ${desc.typeName}; there are ${names.join(", ")}`,
      );
  }

  #wrong(path: string, wanted: string, value: unknown): void {
    this.problems.push(`${path.replace(/\.$/, "") || "it"}: must be ${wanted}, is ${JSON.stringify(value)}`);
  }
}

export function isPlaceholder(value: unknown): boolean {
  return typeof value === "string" && (value === ANY || /\$\{\w+\}/.test(value));
}

/** Messages with a JSON form of their own. */
function isWellKnown({ typeName }: DescMessage): boolean {
  return typeName.startsWith("google.protobuf.") && typeName !== "google.protobuf.Empty";
}

function fits(type: ScalarType, value: unknown): boolean {
  switch (type) {
    case ScalarType.BOOL:
      return typeof value === "boolean";
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return typeof value === "string";
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return typeof value === "number";
    default:
      return Number.isInteger(typeof value === "string" ? Number(value) : value);
  }
}
