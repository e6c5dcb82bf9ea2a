/** Every object we write, against the schema and the CEL rules of its kind; unknown fields fail. */
import { expect, test } from "vitest";
import { seen } from "./cel-rules.ts";
import { objectsOf } from "./generated-objects.ts";
import { problemsOf } from "./kubernetes-schema.ts";

const folders = ["mesh/istio/sidecar", "mesh/istio/ambient", "mesh/linkerd", "deploy/kubernetes/generated"];

test.each(folders)("%s: its kinds' makers would take every object", (folder) => {
  const objects = objectsOf(folder);
  expect(objects.length).toBeGreaterThan(5);
  expect(objects.flatMap(problemsOf)).toEqual([]);
});

test("an unknown field, a wrong type and a breach of a CEL rule are found", () => {
  const route = (rule: object) => ({
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "HTTPRoute",
    metadata: { name: "x" },
    spec: { rules: [rule] },
  });
  expect(problemsOf(route({ timeout: "1s" })).join()).toContain("additional properties");
  expect(problemsOf(route({ timeouts: { request: "fast" } })).join()).toContain(
    "/spec/rules/0/timeouts/request",
  );
  expect(problemsOf(route({ timeouts: { request: "1s", backendRequest: "2s" } })).join()).toContain(
    "backendRequest",
  );
  expect(seen.evaluated).toBeGreaterThan(0);
});
