/**
 * Reasons in google.rpc.ErrorInfo: each is documented with the code it comes with, thrown, and seen by a caller
 * in a test. Those of a service are in its error_reason.proto, those of the mesh in docs/calling.md and, for
 * contracts of the kit, in theirs.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const text = (path: string) => readFileSync(join(root, path), "utf8");

function sourcesIn(folder: string) {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => /\.(ts|go|py)$/.test(path) && !path.includes("testdata"))
    .map((path) => ({
      isTest: /\.test\.ts$|_test\.go$|\/test_\w+\.py$/.test(path),
      text: text(join(folder, path)),
    }));
  const joined = (isTest: boolean) =>
    files
      .filter((file) => file.isTest === isTest)
      .map((file) => file.text)
      .join("\n");
  return { code: joined(false), tests: joined(true) };
}

/** "REASON CODE" of every refusal that a source of any language can throw, once each: "ORDER_NOT_FOUND NOT_FOUND". */
function thrownBy(code: string): string[] {
  const thrown = code.matchAll(
    /(?:ServiceError\(\s*Code|refusal\.New\(\s*codes)\.(\w+),\s*"([A-Z][A-Z0-9_]*)"/g,
  );
  return [...new Set([...thrown].map(([, name, reason]) => `${reason} ${snakeCase(name as string)}`))];
}

const snakeCase = (name: string) => name.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
const reasonOf = (line: string) => line.split(" ")[0] as string;

/** "REASON CODE" of every value of the enum but the first, by its comment: `// CODE: when`. */
function documentedIn(proto: string): string[] {
  const values = proto.matchAll(/^ {2}\/\/ ([A-Z_]+): .*\n(?: {2}\/\/ .*\n)* {2}(\w+) = [1-9]\d*;/gm);
  return [...values].map(([, code, reason]) => `${reason} ${code}`);
}

/** What the mesh refuses for any service. The first is not thrown as a ServiceError: see validate-requests.ts. */
const ofTheMesh = new Set([
  "REQUEST_INVALID INVALID_ARGUMENT",
  ...["mesh/runtime", "edge"].flatMap((folder) => thrownBy(sourcesIn(folder).code)),
]);

/** Each service's file of reasons, by the name of its folder in proto/. */
const services = readdirSync(join(root, "proto"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith("/error_reason.proto") && !path.startsWith("weft/"))
  .map((path) => [path.split("/").at(-3) as string, `proto/${path}`] as const);

test.each(services)("%s", (name, path) => {
  const proto = text(path);
  const documented = documentedIn(proto);
  expect(documented.length, "values with a comment `// CODE: when`").toBe(
    proto.match(/ = [1-9]\d*;/g)?.length,
  );
  const { code, tests } = sourcesIn(`services/${name.replaceAll("_", "-")}`);
  const thrown = thrownBy(code);
  const notThrown = documented.filter((line) => !thrown.includes(line) && !ofTheMesh.has(line));
  const notDocumented = thrown.filter((line) => !documented.includes(line) && !ofTheMesh.has(line));
  expect({ notThrown, notDocumented }).toEqual({ notThrown: [], notDocumented: [] });
  for (const reason of documented.map(reasonOf))
    expect(tests, `no test of ${name} sees ${reason}`).toContain(`"${reason}"`);
});

test("the mesh", () => {
  const documented = [...text("docs/calling.md").matchAll(/^\| `([A-Z0-9_]+)` +\| `([A-Z_]+)`/gm)].map(
    ([, reason, code]) => `${reason} ${code}`,
  );
  documented.push(...documentedIn(text("proto/weft/events/v1/error_reason.proto")));
  expect([...ofTheMesh].toSorted()).toEqual([...new Set(documented)].toSorted());
});
