/** The conformance cases against this project's gateway; see README.md to run them against another one. */
import { describe, expect, test } from "vitest";
import { fileCases } from "./case.ts";
import { OWN_COMMAND } from "./gateway-process.ts";
import { ownCases } from "./own-cases.ts";
import { groupCases, runGroup } from "./run-cases.ts";

const groups = groupCases([...fileCases(), ...ownCases()]);

test("ids are unique", () => {
  const ids = groups.flat().map(({ id }) => id);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
});

describe.concurrent("the gateway answers as the cases say", { timeout: 60_000 }, () => {
  test.for(groups.map((group) => ({ name: nameOf(group.map(({ id }) => id)), group })))(
    "$name",
    async ({ group }, { expect }) => {
      expect(Object.fromEntries(await runGroup(group, OWN_COMMAND))).toEqual({});
    },
  );
});

function nameOf(ids: string[]): string {
  return ids.length === 1 ? ids[0]! : `${ids[0]} and ${ids.length - 1} more of the same configuration`;
}
