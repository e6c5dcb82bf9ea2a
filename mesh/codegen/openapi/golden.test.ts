/**
 * What comes out of testdata/in, case by case, is testdata/out. After a change that is meant:
 *
 *     npm exec -c "vitest run mesh/codegen/openapi -u"
 */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FileDescriptorSet } from "@bufbuild/protobuf/wkt";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { compile, generate } from "./testdata/compile.ts";
import { lint } from "./testdata/lint.ts";

const testdata = join(import.meta.dirname, "testdata");
const documented = readdirSync(join(testdata, "in/library")).filter((name) => name !== "closed");

let compiled: FileDescriptorSet;
beforeAll(() => {
  compiled = compile("mesh/codegen/openapi/testdata/in/library");
});

const document = (name: string) =>
  generate(compiled, `library/${name}/`, `title=The ${name} of a library,license=MIT`);

test.each(documented)("%s: the document is the expected one", async (name) => {
  const response = document(name);
  expect(response.error).toBe("");
  expect(response.file.map((file) => file.name)).toEqual(["openapi.json"]);
  await expect(response.file[0]?.content).toMatchFileSnapshot(join(testdata, `out/${name}.json`));
});

test("redocly finds nothing in any of them", () => {
  const folder = mkdtempSync(join(tmpdir(), "openapi-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const files = documented.map((name) => {
    const file = join(folder, `${name}.json`);
    writeFileSync(file, document(name).file[0]?.content ?? "");
    return file;
  });
  expect(lint(files)).toEqual([]);
});

test("everything that is wrong with a contract is told in one run", async () => {
  const response = generate(compiled, "library/closed/");
  expect(response.file).toEqual([]);
  await expect(`${response.error}\n`).toMatchFileSnapshot(join(testdata, "out/closed.txt"));
});

test("a contract with nothing open at the edge gives no file", () => {
  const response = generate(compiled, "google/");
  expect(response.error).toBe("");
  expect(response.file).toEqual([]);
});

test("two runs give the same bytes", () => {
  expect(generate(compiled, "library/types/")).toEqual(generate(compiled, "library/types/"));
});
