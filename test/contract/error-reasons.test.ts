/**
 * Reasons in google.rpc.ErrorInfo: each is documented with the code it comes with, thrown, and seen by a caller
 * in a test. Those of a service are in its error_reason.proto, those of the mesh in docs/calling.md.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const text = (path: string) => readFileSync(join(root, path), "utf8");

function sourcesIn(folder: string) {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.includes("testdata"))
    .map((path) => ({ isTest: path.endsWith(".test.ts"), text: text(join(folder, path)) }));
  const joined = (isTest: boolean) =>
    files
      .filter((file) => file.isTest === isTest)
      .map((file) => file.text)
      .join("\n");
  return { code: joined(false), tests: joined(true) };
}

/** "REASON CODE" of every refusal that a source can throw, once each: "ORDER_NOT_FOUND NOT_FOUND". */
function thrownBy(code: string): string[] {
  const thrown = code.matchAll(/ServiceError\(\s*Code\.(\w+),\s*"([A-Z_]+)"/g);
  return [...new Set([...thrown].map(([, name, reason]) => `${reason} ${snakeCase(name as string)}`))];
}

const snakeCase = (name: string) => name.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
const reasonOf = (line: string) => line.split(" ")[0] as string;

/** "REASON CODE" of every value of the enum but the first, by its comment: `// CODE: when`. */
function documentedIn(proto: string): string[] {
  const values = proto.matchAll(/^ {2}\/\/ ([A-Z_]+): .*\n(?: {2}\/\/ .*\n)* {2}(\w+) = [1-9]\d*;/gm);
  return [...values].map(([, code, reason]) => `${reason} ${code}`);
}

/** Refusals of the mesh that a service gives itself: rules that protovalidate cannot say. */
const ofTheMesh = ["REQUEST_INVALID INVALID_ARGUMENT"];

const services = readdirSync(join(root, "proto/shop"));

test.each(services)("%s", (name) => {
  const proto = text(`proto/shop/${name}/v1/error_reason.proto`);
  const documented = documentedIn(proto);
  expect(documented.length, "values with a comment `// CODE: when`").toBe(
    proto.match(/ = [1-9]\d*;/g)?.length,
  );
  const { code, tests } = sourcesIn(`services/${name}`);
  expect(
    thrownBy(code)
      .filter((line) => !ofTheMesh.includes(line))
      .toSorted(),
  ).toEqual(documented.toSorted());
  for (const reason of documented.map(reasonOf))
    expect(tests, `no test of ${name} sees ${reason}`).toContain(`"${reason}"`);
});

test("the mesh", () => {
  const documented = [...text("docs/calling.md").matchAll(/^\| `([A-Z_]+)` +\| `([A-Z_]+)`/gm)].map(
    ([, reason, code]) => `${reason} ${code}`,
  );
  const parts = [sourcesIn("mesh/runtime"), sourcesIn("edge")];
  const thrown = new Set([...parts.flatMap(({ code }) => thrownBy(code)), ...ofTheMesh]);
  expect([...thrown].toSorted()).toEqual(documented.toSorted());
});
