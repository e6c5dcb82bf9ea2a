/** Every object we write, as kubeconform -strict sees it: another reader of the same schemas. Needs Go, or kubeconform. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { objectsOf, root } from "./generated-objects.ts";

const VERSION = "v0.7.0";
const kubeconform = findKubeconform();
let schemas: string;

/** The PATH, .weft/go, or what Go builds there; undefined where none can be had. */
function findKubeconform(): string | undefined {
  const own = join(root, ".weft/go/bin/kubeconform");
  const runs = (file: string) => spawnSync(file, ["-v"], { stdio: "ignore" }).status === 0;
  const found = ["kubeconform", own].find(runs);
  if (found || spawnSync("go", ["version"], { stdio: "ignore" }).status !== 0) return found;
  mkdirSync(join(root, ".weft/go/bin"), { recursive: true });
  const env = { ...process.env, GOBIN: join(root, ".weft/go/bin"), GOTOOLCHAIN: "local" };
  const module = `github.com/yannh/kubeconform/cmd/kubeconform@${VERSION}`;
  spawnSync("go", ["install", module], { cwd: tmpdir(), env, stdio: "ignore", timeout: 120_000 });
  return runs(own) ? own : undefined;
}

beforeAll(() => {
  schemas = mkdtempSync(join(tmpdir(), "weft-schemas-"));
  const folder = join(import.meta.dirname, "schemas");
  for (const name of readdirSync(folder).filter((file) => file.endsWith(".json"))) {
    const { apiVersion, kind, schema } = JSON.parse(readFileSync(join(folder, name), "utf8"));
    const [group, version] = apiVersion.includes("/") ? apiVersion.split("/") : [apiVersion, apiVersion];
    const file = `${group}_${version}_${kind.toLowerCase()}.json`;
    // The metadata of custom kinds is left to the API server.
    const properties = { apiVersion: {}, kind: {}, metadata: {}, ...schema.properties };
    writeFileSync(join(schemas, file), JSON.stringify(closed({ ...schema, properties })));
  }
});
afterAll(() => rmSync(schemas, { recursive: true }));

/** Unknown fields fail: definitions leave that to the API server. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== "object" || value === null) return value;
  const schema = Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, closed(inner)]));
  if ("x-kubernetes-int-or-string" in schema) return {};
  const known = schema.type === "object" && typeof schema.properties === "object";
  const open = schema["x-kubernetes-preserve-unknown-fields"] === true || "additionalProperties" in schema;
  return known && !open ? { ...schema, additionalProperties: false } : schema;
}

const folders = ["mesh/istio/sidecar", "mesh/istio/ambient", "mesh/linkerd", "deploy/kubernetes/generated"];

/** What kubeconform says of objects, one a line. */
function check(objects: readonly object[]): { status: number | null; output: string } {
  const location = `${schemas}/{{ .Group }}_{{ .ResourceAPIVersion }}_{{ .ResourceKind }}.json`;
  const args = ["-strict", "-summary", "-schema-location", location];
  const input = objects.map((object) => JSON.stringify(object)).join("\n---\n");
  const { status, stdout, stderr } = spawnSync(kubeconform!, args, { input, encoding: "utf8" });
  return { status, output: stdout + stderr };
}

test.skipIf(!kubeconform).each(folders)("%s", (folder) => {
  const objects = objectsOf(folder);
  const { status, output } = check(objects);
  expect(output).toContain(`Valid: ${objects.length}, Invalid: 0, Errors: 0, Skipped: 0`);
  expect(status).toBe(0);
});

test.skipIf(!kubeconform)("it would find an unknown field and a wrong type", () => {
  const service = { apiVersion: "v1", kind: "Service", metadata: { name: "x" } };
  const wrong = [
    { ...service, spec: { portz: [] } },
    { ...service, spec: { ports: "many" } },
  ];
  expect(check(wrong).output).toContain("Invalid: 2");
});
