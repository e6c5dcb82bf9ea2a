import type { DescMessage } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { file_weft_policy_v1_policy } from "#gen/weft/policy/v1/policy_pb.ts";
import { targets } from "../targets/targets.ts";
import { rows } from "./rows.ts";

const messages: DescMessage[] = file_weft_policy_v1_policy.messages;
const options = messages.flatMap(({ name, fields }) => fields.map((field) => `${name}.${field.name}`));

test("every option has a row: a new one needs a decision for each target", () => {
  expect(options.filter((option) => !(option in rows))).toEqual([]);
});

test("no row speaks of an option that is gone", () => {
  expect(Object.keys(rows).filter((row) => !options.includes(row))).toEqual([]);
});

test("rows name targets that exist", () => {
  const named = new Set(Object.values(rows).flatMap((row) => Object.keys(row)));
  named.delete("rest");
  expect([...named].filter((target) => !(target in targets))).toEqual([]);
});
