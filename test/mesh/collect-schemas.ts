/**
 * Takes the schemas of every kind we write out of what its makers publish, so that the checks need neither Go nor
 * the network. To renew them, with Go at hand:
 *
 *     node test/mesh/collect-schemas.ts FOLDER_OF_A_CLONE_OF_LINKERD2
 *
 * Words are left out; the rules, CEL included, stay. Sources are Apache-2.0; schemas/README.md lists them.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

type Schema = Record<string, unknown>;

const modules: [module: string, folder: string][] = [
  ["istio.io/api@v1.31.2", "kubernetes"],
  ["sigs.k8s.io/gateway-api@v1.6.2", "config/crd/experimental"],
  ["github.com/kedacore/keda/v2@v2.20.0", "config/crd/bases"],
  ["github.com/cert-manager/cert-manager@v1.20.0", "deploy/crds"],
  ["github.com/cloudnative-pg/cloudnative-pg@v1.29.0", "config/crd/bases"],
  ["github.com/external-secrets/external-secrets@v1.3.2", "config/crds/bases"],
];
const kubernetes = "k8s.io/kubernetes@v1.36.2";
const wanted = new Set([
  ...kinds("networking.istio.io/v1", "DestinationRule ServiceEntry Sidecar VirtualService"),
  ...kinds("security.istio.io/v1", "AuthorizationPolicy PeerAuthentication RequestAuthentication"),
  ...kinds("telemetry.istio.io/v1", "Telemetry"),
  ...kinds("gateway.networking.k8s.io/v1", "Gateway GRPCRoute HTTPRoute"),
  ...kinds("policy.linkerd.io/v1beta3", "Server"),
  ...kinds("policy.linkerd.io/v1alpha1", "AuthorizationPolicy MeshTLSAuthentication NetworkAuthentication"),
  ...kinds("keda.sh/v1alpha1", "ScaledObject"),
  ...kinds("cert-manager.io/v1", "Certificate ClusterIssuer Issuer"),
  ...kinds("postgresql.cnpg.io/v1", "Cluster ScheduledBackup"),
  ...kinds("external-secrets.io/v1", "ExternalSecret ClusterSecretStore"),
]);
const builtIn = `v1 Namespace,v1 ConfigMap,v1 Secret,v1 Service,v1 ServiceAccount,apps/v1 Deployment,
  apps/v1 StatefulSet,autoscaling/v2 HorizontalPodAutoscaler,policy/v1 PodDisruptionBudget,
  networking.k8s.io/v1 NetworkPolicy,batch/v1 Job`.split(/,\s*/);

const out = join(import.meta.dirname, "schemas");
const linkerd = process.argv[2];
if (!linkerd) throw new Error("usage: node test/mesh/collect-schemas.ts FOLDER_OF_A_CLONE_OF_LINKERD2");
for (const file of readdirSync(out)) if (file.endsWith(".json")) rmSync(join(out, file));
for (const [module, folder] of modules) collectFolder(join(download(module), folder));
collectFolder(join(linkerd, "charts/linkerd-crds/templates/policy"));
collectBuiltIn(JSON.parse(readFileSync(join(download(kubernetes), "api/openapi-spec/swagger.json"), "utf8")));

function kinds(apiVersion: string, names: string): string[] {
  return names.split(" ").map((kind) => `${apiVersion} ${kind}`);
}

function download(module: string): string {
  const cwd = join(tmpdir(), "weft-schemas");
  mkdirSync(cwd, { recursive: true });
  const text = execFileSync("go", ["mod", "download", "-json", module], { cwd, encoding: "utf8" });
  return (JSON.parse(text) as { Dir: string }).Dir;
}

function collectFolder(folder: string): void {
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".yaml"))) {
    // Charts have lines of template around the definition.
    const text = readFileSync(join(folder, file), "utf8").replaceAll(/^.*\{\{.*$/gm, "");
    for (const document of parseAllDocuments(text)) collectDefinition(document.toJS());
  }
}

function collectDefinition(
  crd: {
    kind?: string;
    spec: {
      group: string;
      names: { kind: string };
      versions: { name: string; schema: { openAPIV3Schema: Schema } }[];
    };
  } | null,
): void {
  if (crd?.kind !== "CustomResourceDefinition") return;
  const { group, names, versions } = crd.spec;
  for (const { name, schema } of versions)
    if (wanted.has(`${group}/${name} ${names.kind}`))
      write(`${group}/${name}`, names.kind, withoutWords(schema.openAPIV3Schema) as Schema);
}

function collectBuiltIn({ definitions }: { definitions: Record<string, Schema> }): void {
  const resolve = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(resolve);
    if (typeof value !== "object" || value === null) return value;
    const { $ref, ...rest } = value as Schema;
    if (typeof $ref !== "string")
      return Object.fromEntries(Object.entries(rest).map(([key, item]) => [key, resolve(item)]));
    if (/Quantity$|IntOrString$/.test($ref)) return { "x-kubernetes-int-or-string": true };
    if (/\.JSONSchemaProps$|ManagedFieldsEntry$/.test($ref)) return {};
    return resolve(definitions[$ref.split("/").at(-1)!]);
  };
  for (const type of builtIn) {
    const [apiVersion, kind] = type.split(" ") as [string, string];
    const [group, version] = apiVersion.includes("/") ? apiVersion.split("/") : ["", apiVersion];
    const found = Object.values(definitions).find((definition) =>
      (definition["x-kubernetes-group-version-kind"] as Record<string, string>[] | undefined)?.some(
        (gvk) => gvk.group === group && gvk.version === version && gvk.kind === kind,
      ),
    );
    write(apiVersion, kind, withoutWords(resolve(found)) as Schema);
  }
}

/** Drops descriptions and examples, but not properties of those names. */
function withoutWords(value: unknown, inProperties = false): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutWords(item));
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(
    ([key, item]) =>
      inProperties || !["description", "example", "externalDocs"].includes(key) || typeof item === "object",
  );
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutWords(item, key === "properties")]));
}

function write(apiVersion: string, kind: string, schema: Schema): void {
  const name = `${apiVersion.replace("/", "_")}_${kind}.json`.toLowerCase();
  writeFileSync(join(out, name), `${JSON.stringify({ apiVersion, kind, schema })}\n`);
}
