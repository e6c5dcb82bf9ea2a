/** Durations, times and field masks: strings in JSON, so their rules can mostly only be told. */
import { toJson } from "@bufbuild/protobuf";
import { type Duration, DurationSchema, type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import type {
  DurationRules,
  FieldMaskRules,
  TimestampRules,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import type { Schema } from "../schema/json.ts";
import type { Constrained } from "./constrained.ts";
import { boundNotes } from "./long-rules.ts";

const seconds = (value: Duration): string => toJson(DurationSchema, value);
const time = (value: Timestamp): string => toJson(TimestampSchema, value);

export function durationRules(schema: Schema, rules: DurationRules): Constrained {
  const notes = [
    ...(rules.const ? [`Must be ${seconds(rules.const)}.`] : []),
    ...boundNotes<Duration>(rules as Parameters<typeof boundNotes<Duration>>[0], seconds),
    ...listNote("One of", rules.in.map(seconds)),
    ...listNote("Not one of", rules.notIn.map(seconds)),
  ];
  return { schema, notes };
}

export function timestampRules(schema: Schema, rules: TimestampRules): Constrained {
  const { lessThan, greaterThan } = rules;
  const notes = [
    ...(rules.const ? [`Must be ${time(rules.const)}.`] : []),
    ...(greaterThan.case === "gtNow" && greaterThan.value ? ["Must lie in the future."] : []),
    ...(lessThan.case === "ltNow" && lessThan.value ? ["Must lie in the past."] : []),
    ...boundNotes<Timestamp>(rules as Parameters<typeof boundNotes<Timestamp>>[0], time),
    ...(rules.within ? [`Within ${seconds(rules.within)} of now.`] : []),
  ];
  return { schema, notes };
}

export function fieldMaskRules(schema: Schema, rules: FieldMaskRules): Constrained {
  const notes = [
    ...(rules.const ? [`Must be "${rules.const.paths.join(",")}".`] : []),
    ...listNote("Paths of", rules.in),
    ...listNote("No paths of", rules.notIn),
  ];
  return { schema, notes };
}

function listNote(words: string, values: readonly string[]): string[] {
  return values.length > 0 ? [`${words}: ${values.join(", ")}.`] : [];
}
