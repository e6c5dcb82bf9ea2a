import type { DescField, DescMessage } from "@bufbuild/protobuf";
import type { FieldPath } from "./model.ts";

/**
 * Resolves a dotted path of proto field names.
 * @throws Error naming the part that does not exist
 */
export function findField(message: DescMessage, path: string): FieldPath {
  let current: DescMessage | undefined = message;
  const fields: DescField[] = [];
  for (const name of path.split(".")) {
    const field: DescField | undefined = current?.fields.find((candidate) => candidate.name === name);
    if (!field) throw new Error(`"${path}": ${current?.typeName ?? "a scalar"} has no field "${name}"`);
    fields.push(field);
    current = field.fieldKind === "message" ? field.message : undefined;
  }
  return fields as [DescField, ...DescField[]];
}

/** Path in ProtoJSON names, such as "book.displayName". */
export function jsonPath(path: readonly DescField[]): string {
  return path.map((field) => field.jsonName).join(".");
}
