/**
 * What comes out of testdata/in, case by case and target by target, is testdata/out. After a change that is meant:
 *
 *     npm exec -c "vitest run mesh/codegen/weft -u"
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { FileDescriptorSet } from "@bufbuild/protobuf/wkt";
import { beforeAll, expect, test } from "vitest";
import { targets } from "./targets/targets.ts";
import { compileTestdata, generate } from "./testdata/compile.ts";

const testdata = join(import.meta.dirname, "testdata");
const cases = readdirSync(join(testdata, "in/library")).filter((name) => name !== "wrong");
const parameter = [
  "namespace=books",
  "token_issuer=https://library.example",
  "token_audience=library",
  "jwks_url=http://desk.books.svc.cluster.local:8081/keys",
  "stateless=readers",
].join(",");

let compiled: FileDescriptorSet;
beforeAll(() => {
  compiled = compileTestdata();
});

const run = (name: string, target: string) =>
  generate(compiled, `library/${name}/`, `target=${target},${parameter}`);

const expected = cases.flatMap((name) => Object.keys(targets).map((target) => ({ name, target })));

test.each(expected)("$name for $target: the files are the expected ones", async ({ name, target }) => {
  const response = run(name, target);
  expect(response.error).toBe("");
  const text = response.file.map((file) => `==== ${file.name}\n${file.content}`).join("");
  await expect(text).toMatchFileSnapshot(join(testdata, `out/${name}/${target}.txt`));
});

test("everything that is wrong with a contract is told in one run, and nothing is written", async () => {
  const response = run("wrong", "istio-sidecar");
  expect(response.file).toEqual([]);
  await expect(`${response.error}\n`).toMatchFileSnapshot(join(testdata, "out/wrong.txt"));
});

test("a contract without a served service gives no file", () => {
  const response = generate(compiled, "google/", "target=istio-sidecar");
  expect(response.error).toBe("");
  expect(response.file).toEqual([]);
});

test("two runs give the same bytes", () => {
  expect(run("calls", "istio-sidecar")).toEqual(run("calls", "istio-sidecar"));
});
