/**
 * One option is changed, and exactly the resources that say it come out different. What is expected stands in
 * testdata/changes.txt; after a change that is meant, run vitest on this file with -u and read the difference.
 */
import { join } from "node:path";
import type { DescMessage } from "@bufbuild/protobuf";
import { beforeAll, expect, test } from "vitest";
import { file_weft_policy_v1_policy } from "#gen/weft/policy/v1/policy_pb.ts";
import { rows } from "../../../mesh/codegen/weft/report/rows.ts";
import { type TargetName, targets } from "../../../mesh/codegen/weft/targets/targets.ts";
import { compile } from "../../../mesh/codegen/weft/testdata/compile.ts";
import { differences, generateAll, withPolicy } from "./flip.ts";
import { flips } from "./flips.ts";

/** Target → resources, by option. */
const changes = new Map<string, Record<string, string[]>>();

beforeAll(() => {
  const plain = compile("test/mesh/flips/testdata/library", ["test/mesh/flips/testdata"]);
  const asItIs = generateAll(plain);
  for (const [option, { on, given, becomes }] of Object.entries(flips)) {
    const before = given ? withPolicy(plain, on, given) : plain;
    const made = given ? generateAll(before) : asItIs;
    changes.set(option, differences(made, generateAll(withPolicy(before, on, becomes))));
  }
});

test("every option of policy.proto is changed once", () => {
  const messages: DescMessage[] = file_weft_policy_v1_policy.messages;
  const options = messages.flatMap(({ name, fields }) => fields.map((field) => `${name}.${field.name}`));
  expect(Object.keys(flips).sort()).toEqual(options.sort());
});

test("an option changes the resources that say it, and no other", async () => {
  const text = [...changes].map(([option, byTarget]) => {
    const lines = Object.entries(byTarget).map(([target, names]) => `  ${target}: ${names.join(" ")}`);
    return `${option}\n${lines.join("\n") || "  nothing"}\n`;
  });
  await expect(text.join("")).toMatchFileSnapshot(join(import.meta.dirname, "testdata/changes.txt"));
});

/** Defaults are as many options as a method has, and what they reach depends on which. */
const ofItself = Object.keys(flips).filter((option) => option !== "ServicePolicy.defaults");

test.each(ofItself)("%s: the coverage report says the truth about each target", (option) => {
  const row = rows[option]!;
  const reported = (Object.keys(targets) as TargetName[]).filter((target) => target !== "coverage");
  const of = (how: string) => reported.filter((target) => (row[target] ?? row.rest).how === how);
  const changed = Object.keys(changes.get(option)!);
  expect(
    of("in process").filter((target) => changed.includes(target)),
    "in process, but generated",
  ).toEqual([]);
  expect(
    of("expressed").filter((target) => !changed.includes(target)),
    "said to be expressed",
  ).toEqual([]);
});
