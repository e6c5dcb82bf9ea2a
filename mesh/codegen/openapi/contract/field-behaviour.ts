import type { DescField, Registry } from "@bufbuild/protobuf";
import type { FieldBehavior } from "#gen/google/api/field_behavior_pb.ts";
import { readOption } from "../../read-option.ts";

const required: FieldBehavior = 2;
const outputOnly: FieldBehavior = 3;
const inputOnly: FieldBehavior = 4;

/** What google.api.field_behavior says of a field (AIP-203). */
export function behaviourOf(
  registry: Registry,
  field: DescField,
): { required: boolean; outputOnly: boolean; inputOnly: boolean } {
  const said = readOption<FieldBehavior[]>(registry, field, "google.api.field_behavior") ?? [];
  return {
    required: said.includes(required),
    outputOnly: said.includes(outputOnly),
    inputOnly: said.includes(inputOnly),
  };
}
