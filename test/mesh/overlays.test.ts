/** What a cluster would be given, overlay by overlay, and what compose would start. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { system } from "#local/system.ts";
import { processNames } from "#local/topology.ts";
import { objectsIn, objectsOf, root } from "./generated-objects.ts";
import { type KubernetesObject, problemsOf } from "./kubernetes-schema.ts";

const has = (tool: string, ...args: string[]) => spawnSync(tool, args, { stdio: "ignore" }).status === 0;
const overlays = join(root, "deploy/kubernetes/overlays");
const builds = readdirSync(overlays).flatMap((mesh) =>
  ["dev", "production"].map((size) => `${mesh}/${size}`),
);
const build = (overlay: string): KubernetesObject[] =>
  objectsIn(
    execFileSync("kubectl", ["kustomize", join(overlays, overlay)], {
      encoding: "utf8",
      maxBuffer: 64 << 20,
    }),
  );
// biome-ignore lint/suspicious/noExplicitAny: objects of many kinds, checked against their schemas
const specOf = (object: KubernetesObject | undefined): any => object?.spec;

test.skipIf(!has("kubectl", "version", "--client")).each(builds)(
  "%s: kubectl kustomize builds it, and every object is sound",
  (overlay) => {
    const objects = build(overlay);
    expect(objects.flatMap(problemsOf)).toEqual([]);
    const find = (kind: string, name: string) =>
      objects.find((object) => object.kind === kind && object.metadata.name === name);
    const retries = JSON.stringify(find("Deployment", "edge")).includes(
      '{"name":"WEFT_RETRIES","value":"mesh"}',
    );
    expect(retries, "the edge leaves retries to a mesh, and only to one").toBe(!overlay.startsWith("plain"));
    const production = overlay.endsWith("production");
    expect(specOf(find("Cluster", `${system.services[0]!.name}-db`)).instances).toBe(production ? 3 : 1);
    expect(find("ExternalSecret", "nats-passwords") !== undefined).toBe(production);
    expect(specOf(find("StatefulSet", "nats")).replicas).toBe(3);
  },
);

test("every process of the local runner has a deployment, and no other", () => {
  const deployed = objectsOf("deploy/kubernetes/generated")
    .filter(({ kind }) => kind === "Deployment")
    .map(({ metadata }) => metadata.name);
  expect(deployed.sort()).toEqual(processNames(system).sort());
});

test.skipIf(!has("nats-server", "--version"))("nats-server takes the generated users", () => {
  const folder = mkdtempSync(join(tmpdir(), "weft-users-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const config = parse(readFileSync(join(root, "deploy/kubernetes/generated/nats-users.yaml"), "utf8"));
  writeFileSync(join(folder, "users.conf"), config.data["users.conf"]);
  writeFileSync(join(folder, "nats.conf"), `jetstream { store_dir: "${folder}" }\ninclude users.conf\n`);
  const names = [...config.data["users.conf"].matchAll(/\$(NATS_PASSWORD_\w+)/g)].map(([, name]) => name);
  expect(names).toHaveLength(processNames(system).length);
  const env = { ...process.env, ...Object.fromEntries(names.map((name) => [name, "pa1b2c3"])) };
  const checked = spawnSync("nats-server", ["-t", "-c", join(folder, "nats.conf")], {
    env,
    encoding: "utf8",
  });
  expect(checked.stderr + checked.stdout).toContain("is valid");
});

test("compose starts every process, with variables that prepare.ts makes and images that exist here", () => {
  const text = readFileSync(join(root, "deploy/docker/compose.yaml"), "utf8");
  const { services } = parse(text, { merge: true });
  const built = Object.keys(services).filter((name) => services[name].build);
  expect(built.sort()).toEqual(processNames(system).sort());
  for (const name of built) {
    expect(services[name].environment.WEFT_SERVICE).toBe(name);
    expect(services[name].environment.WEFT_JWKS_URL).toMatch(/^https:\/\/./);
    const upstreams = (services[name].environment.WEFT_UPSTREAMS ?? "").split(",").filter(Boolean);
    for (const upstream of upstreams) expect(built).toContain(upstream.split("=")[0]);
  }
  const prepared = readFileSync(join(root, "deploy/docker/prepare.ts"), "utf8");
  for (const [, variable] of text.matchAll(/\$\{((?:NATS|DB)_PASSWORD_|[A-Z_]+)/g))
    expect(prepared).toContain(variable);
});
