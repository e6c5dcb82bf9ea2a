/** The conformance cases against this project's gateway; see README.md to run them against another one. */
import { describe, expect, test } from "vitest";
import { type Case, fileCases } from "./case.ts";
import { gatewayInProcess } from "./gateway-in-process.ts";
import { OWN_COMMAND, startGateway } from "./gateway-process.ts";
import { ownCases } from "./own-cases.ts";
import { groupCases, runGroup, type StartGateway } from "./run-cases.ts";

const cases = [...fileCases(), ...ownCases()];

test("ids are unique", () => {
  const ids = cases.map(({ id }) => id);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
});

describe("the gateway answers as the cases say", () => {
  test.for(groupCases(cases).map((group) => ({ name: nameOf(group), group })))("$name", async ({ group }) => {
    expect(Object.fromEntries(await runGroup(group, gatewayInProcess))).toEqual({});
  });
});

describe("the program does the same with its arguments", () => {
  const asProcess: StartGateway = (port, config) => startGateway(OWN_COMMAND, port, config);
  test.each([
    "path-single",
    "query-unknown-ignored",
    "service-config-last-wins",
    "template-variable-unknown",
  ])("%s", async (id) => {
    const group = cases.filter((one) => one.id === id);
    expect(group).toHaveLength(1);
    expect(Object.fromEntries(await runGroup(group, asProcess))).toEqual({});
  });
});

function nameOf([first, ...more]: Case[]): string {
  return more.length === 0 ? first!.id : `${first!.id} and ${more.length} more of the same configuration`;
}
