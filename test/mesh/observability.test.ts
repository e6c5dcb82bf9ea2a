/** Configuration of collector, Prometheus, Grafana, Loki and Jaeger: that it holds together, and with what is deployed. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { parse, stringify } from "yaml";
import { system } from "#local/system.ts";
import { processNames } from "#local/topology.ts";
import { objectsIn, objectsOf, root } from "./generated-objects.ts";
import { type KubernetesObject, problemsOf } from "./kubernetes-schema.ts";

const folder = join(root, "deploy/observability");
const read = (file: string) => parse(readFileSync(join(folder, file), "utf8"), { merge: true });
const has = (tool: string, ...args: string[]) => spawnSync(tool, args, { stdio: "ignore" }).status === 0;
const inFolder = (name: string, end: string) =>
  readdirSync(join(folder, name))
    .filter((file) => file.endsWith(end))
    .map((file) => `${name}/${file}`);

test("the collector's pipelines name what is configured, and all of it is in use", () => {
  const { service, ...parts } = read("collector/collector.yaml");
  for (const kind of ["receivers", "processors", "exporters"] as const) {
    const used = Object.values<Record<string, string[]>>(service.pipelines).flatMap((one) => one[kind] ?? []);
    expect(new Set(used), kind).toEqual(new Set(Object.keys(parts[kind])));
  }
  expect(service.extensions).toEqual(Object.keys(parts.extensions));
  for (const { processors } of Object.values<{ processors: string[] }>(service.pipelines))
    expect(processors[0], "before anything that takes memory").toBe("memory_limiter");
  const variables = [
    ...readFileSync(join(folder, "collector/collector.yaml"), "utf8").matchAll(/env:(\w+)/g),
  ];
  const given = read("compose.yaml").services["otel-collector"].environment;
  const inCluster = JSON.stringify(objectsOf("deploy/observability/kubernetes"));
  for (const [, name] of variables) {
    expect(given).toHaveProperty(name as string);
    expect(inCluster).toContain(`"${name}"`);
  }
});

test.skipIf(!has("promtool", "--version")).each(["kubernetes", "compose"])(
  "promtool takes Prometheus's configuration: %s",
  (where) => {
    const config = read(`prometheus/${where}.yaml`);
    // Debian's build knows no discovery in a cluster; the rest is checked with a target in its place.
    for (const job of config.scrape_configs) {
      if (!job.kubernetes_sd_configs) continue;
      expect(job.kubernetes_sd_configs[0]).toMatchObject({ role: "pod" });
      delete job.kubernetes_sd_configs;
      job.static_configs = [{ targets: ["pod:8080"] }];
    }
    const place = mkdtempSync(join(tmpdir(), "weft-prometheus-"));
    onTestFinished(() => rmSync(place, { recursive: true }));
    writeFileSync(join(place, "prometheus.yaml"), stringify(config));
    execFileSync("promtool", ["check", "config", "--syntax-only", join(place, "prometheus.yaml")], {
      stdio: "pipe",
    });
  },
);

test("Prometheus finds every process where its figures are", () => {
  const targets = read("prometheus/compose.yaml").scrape_configs[0].static_configs.flatMap(
    ({ targets: some }: { targets: string[] }) => some,
  );
  const names = targets.map((target: string) => target.split(":")[0]);
  expect(names.sort()).toEqual(processNames(system).sort());
  const { edge } = read("compose.yaml").services;
  expect(targets).toContain(`edge:${edge.environment.WEFT_ADMIN_PORT}`);
  expect(edge.ports, "the edge's figures are not published").toBeUndefined();

  // biome-ignore lint/suspicious/noExplicitAny: a pod of a deployment
  const container = (object: KubernetesObject | undefined): any =>
    // biome-ignore lint/suspicious/noExplicitAny: a pod of a deployment
    (object as any).spec.template.spec.containers[0];
  for (const object of objectsOf("deploy/kubernetes/generated").filter(({ kind }) => kind === "Deployment")) {
    const { name, ports, env } = container(object);
    const port = ports.find((one: { name: string }) => one.name === (name === "edge" ? "admin" : "grpc"));
    const wanted = env.find((one: { name: string }) =>
      name === "edge" ? one.name === "WEFT_ADMIN_PORT" : one.name === "PORT",
    );
    expect(String(port.containerPort), name).toBe(wanted.value);
    expect(env).toContainEqual({
      name: "OTEL_EXPORTER_OTLP_ENDPOINT",
      value: "http://otel-collector.observability:4318",
    });
  }
});

test("compose sends every process's spans to its collector, and mounts files that exist", () => {
  const { services, volumes } = read("compose.yaml");
  for (const name of processNames(system))
    expect(services[name].environment.OTEL_EXPORTER_OTLP_ENDPOINT).toBe("http://otel-collector:4318");
  for (const service of Object.values<{ volumes?: string[] }>(services)) {
    for (const volume of service.volumes ?? []) {
      const [source = ""] = volume.split(":");
      // Relative to the first file of the command, deploy/docker/compose.yaml.
      if (source.startsWith("..")) readOrList(join(root, "deploy/docker", source));
      else if (!source.startsWith("/")) expect(volumes).toHaveProperty(source);
    }
  }
});

function readOrList(path: string): void {
  try {
    readFileSync(path);
  } catch {
    expect(readdirSync(path).length).toBeGreaterThan(0);
  }
}

test.skipIf(!has("kubectl", "version", "--client"))(
  "kubectl kustomize builds it, with every generated rule and dashboard",
  () => {
    const objects = objectsIn(
      execFileSync("kubectl", ["kustomize", folder], { encoding: "utf8", maxBuffer: 64 << 20 }),
    );
    // Kinds without a schema here; the others are checked as an API server would.
    const unknown = new Set(["DaemonSet", "ClusterRole", "ClusterRoleBinding"]);
    expect(objects.filter(({ kind }) => !unknown.has(kind)).flatMap(problemsOf)).toEqual([]);
    const maps = JSON.stringify(objects.filter(({ kind }) => kind === "ConfigMap"));
    const generated = [
      ...inFolder("generated/rules", ".rules.yaml"),
      ...inFolder("generated/dashboards", ".json"),
    ];
    for (const file of generated) expect(maps).toContain(`"${file.split("/").at(-1)}":`);
    const mounted = JSON.stringify(objects).matchAll(/"configMap":\{"name":"([^"]+)"/g);
    const names = objects.filter(({ kind }) => kind === "ConfigMap").map(({ metadata }) => metadata.name);
    for (const [, name] of mounted) expect(names).toContain(name);
    for (const { metadata, kind } of objects)
      if (!["Namespace", "ClusterRole", "ClusterRoleBinding"].includes(kind))
        expect(metadata.namespace).toBe("observability");
  },
);

test("Grafana's sources and links point at each other", () => {
  const { datasources } = read("grafana/datasources.yaml");
  const uids = datasources.map(({ uid }: { uid: string }) => uid);
  const links = JSON.stringify(datasources).matchAll(/"datasourceUid":"([^"]+)"/g);
  for (const [, uid] of links) expect(uids).toContain(uid);
  const services = Object.keys(read("compose.yaml").services);
  for (const { url } of datasources) expect(services).toContain(new URL(url).hostname);
});
