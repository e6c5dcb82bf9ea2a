/** Which fields of a request can be given in the query: leaves that neither path nor body hold (google/api/http.proto). */
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { isTextMessage } from "../schema/well-known.ts";
import type { FieldPath } from "./model.ts";

/**
 * Paths to all such leaves, depth first. Lists of scalars count, lists of messages and maps do not. A message
 * inside itself is followed once only, although the edge takes any depth: the list must end.
 * @param taken fields that path or body hold
 */
export function queryFields(input: DescMessage, taken: readonly FieldPath[]): FieldPath[] {
  const held = new Set(taken.map(numbers));
  return leaves(input, [], new Set()).filter(
    (path) => !path.some((_, i) => held.has(numbers(path.slice(0, i + 1)))),
  );
}

function leaves(
  message: DescMessage,
  above: readonly DescField[],
  open: ReadonlySet<DescMessage>,
): FieldPath[] {
  if (open.has(message)) return [];
  const inside = new Set(open).add(message);
  return message.fields.flatMap((field): FieldPath[] => {
    const path = [...above, field] as unknown as FieldPath;
    if (field.fieldKind === "map") return [];
    if (!field.message || isTextMessage(field.message)) return [path];
    return field.fieldKind === "list" || isFreeForm(field.message) ? [] : leaves(field.message, path, inside);
  });
}

/** Messages whose JSON is not made of their fields. */
function isFreeForm({ typeName }: DescMessage): boolean {
  return ["Struct", "Value", "ListValue", "Any"].some((name) => typeName === `google.protobuf.${name}`);
}

function numbers(path: readonly DescField[]): string {
  return path.map((field) => field.number).join(".");
}
