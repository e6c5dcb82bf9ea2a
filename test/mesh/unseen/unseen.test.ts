/**
 * Contracts that the generator was not written for: what it makes of them must be taken by those whose it is.
 * A contract that broke it belongs into testdata/.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createFileRegistry } from "@bufbuild/protobuf";
import type { FileDescriptorSet } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readContract } from "../../../mesh/codegen/weft/contract/read-contract.ts";
import { targets } from "../../../mesh/codegen/weft/targets/targets.ts";
import { compile, generate } from "../../../mesh/codegen/weft/testdata/compile.ts";
import { makeAuthority } from "../envoy/certificates.ts";
import { findEnvoy } from "../envoy/find-envoy.ts";
import { objectsIn } from "../generated-objects.ts";
import { problemsOf } from "../kubernetes-schema.ts";
import { type MeshObjects, referenceProblems, waysOf } from "../references.ts";

const testdata = join(import.meta.dirname, "testdata");
const cases = readdirSync(testdata);
const has = (tool: string) => spawnSync(tool, ["--help"], { stdio: "ignore" }).error === undefined;
const envoy = findEnvoy();
const tokens = "token_issuer=https://id.example,token_audience=all,jwks_url=http://id.example/keys";

describe.each(cases)("%s", (name) => {
  let set: FileDescriptorSet;
  let own: string[];
  let mesh: MeshObjects;
  const files = new Map<string, string>();
  let folder: string;

  beforeAll(() => {
    set = compile(`test/mesh/unseen/testdata/${name}`, ["test/mesh/unseen/testdata"]);
    own = set.file.map((file) => file.name).filter((file) => file.startsWith(`${name}/`));
    folder = mkdtempSync(join(tmpdir(), "weft-unseen-"));
    const tls = makeAuthority(folder)("any");
    const local = (text: string) =>
      text.replaceAll("/etc/weft/envoy", join(folder, "envoy")).replaceAll("/etc/weft/tls", tls);
    for (const target of Object.keys(targets)) {
      const response = generate(set, `${name}/`, `target=${target},namespace=odd,${tokens}`);
      expect(response.error).toBe("");
      for (const file of response.file) {
        files.set(`${target}/${file.name}`, file.content);
        mkdirSync(dirname(join(folder, target, file.name)), { recursive: true });
        writeFileSync(join(folder, target, file.name), local(file.content));
      }
    }
    const objectsOf = (target: string) =>
      [...files]
        .filter(
          ([file]) => file.startsWith(`${target}/`) && !/kustomization|values|backups|secrets/.test(file),
        )
        .flatMap(([, text]) => objectsIn(text));
    mesh = {
      base: objectsOf("kubernetes"),
      sidecar: objectsOf("istio-sidecar"),
      ambient: objectsOf("istio-ambient"),
      linkerd: objectsOf("linkerd"),
    };
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const under = (place: string, end: string) =>
    [...files.keys()]
      .filter((file) => file.startsWith(place) && file.endsWith(end))
      .map((file) => join(folder, file));

  test("every object obeys the schema and the rules of its kind", () => {
    expect(Object.values(mesh).flat().flatMap(problemsOf)).toEqual([]);
  });

  test("names are hosts and labels", () => {
    const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
    const all = Object.values(mesh).flat();
    expect(all.map(({ metadata }) => metadata.name).filter((each) => !label.test(each))).toEqual([]);
    const values = all.flatMap(({ metadata }) => Object.values<string>(metadata.labels ?? {}));
    expect(values.filter((value) => !/^[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/.test(value))).toEqual([]);
  });

  test("what is referred to exists, and every RPC has one way", () => {
    expect(referenceProblems(mesh, "odd")).toEqual([]);
    const { services } = readContract(createFileRegistry(set), own);
    const rpcs = services.flatMap((service) => service.methods.map(({ path }) => `${service.name} ${path}`));
    const called = services.flatMap((service) =>
      service.methods
        .filter(({ policy }) => policy.callers.length > 0)
        .map(({ path }) => `${service.name} ${path}`),
    );
    const { "linkerd, in": into, ...out } = waysOf(mesh);
    for (const [target, ways] of Object.entries(out))
      expect({ target, ways }).toEqual({ target, ways: rpcs.toSorted() });
    expect(into).toEqual(called.toSorted());
  });

  test.skipIf(!has("promtool"))("promtool takes the rules, and the alerts do what they should", () => {
    const rules = under("slo", ".rules.yaml");
    if (rules.length > 0) execFileSync("promtool", ["check", "rules", ...rules], { stdio: "pipe" });
    const tests = under("slo/tests", ".test.yaml");
    if (tests.length > 0) execFileSync("promtool", ["test", "rules", ...tests], { stdio: "pipe" });
  });

  test.skipIf(!has("kubectl"))("kustomize builds each mesh on the base", () => {
    // No cluster has two of them, but their objects and patches do not touch each other.
    for (const components of [
      ["istio-sidecar", "linkerd", "kubernetes/external-secrets"],
      ["istio-ambient"],
    ]) {
      const overlay = mkdtempSync(join(folder, "overlay-"));
      const paths = components.map((component) => `../${component}`);
      const kustomization = { resources: ["../kubernetes"], components: paths };
      writeFileSync(join(overlay, "kustomization.yaml"), JSON.stringify(kustomization));
      execFileSync("kubectl", ["kustomize", overlay], { stdio: "pipe", maxBuffer: 64 << 20 });
    }
  });

  test.skipIf(!envoy)("a real Envoy takes every sidecar", () => {
    for (const file of under("envoy", ".yaml").filter((path) => !path.includes("/sds/")))
      execFileSync(envoy!, ["--mode", "validate", "-c", file, "-l", "error"], { stdio: "pipe" });
  });
});
