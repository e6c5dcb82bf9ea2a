/** Contracts whose generated configuration istiod is asked about, with what each of them promises. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { type FileDescriptorSet, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { parse } from "yaml";
import { compile, generate } from "../../../mesh/codegen/weft/testdata/compile.ts";
import { root } from "../generated-objects.ts";
import { type Promised, promised } from "./promised.ts";

export interface Overlay {
  /** Folder of a kustomization. */
  readonly kustomization: string;
  /** Values for the Helm chart istiod. */
  readonly values: string;
}

export interface VerifiedContract extends Promised {
  readonly name: string;
  readonly sidecar: Overlay;
  readonly ambient: Overlay;
}

/** The repository's own contract, as it is committed. */
export function ownContract(): VerifiedContract {
  const set = fromBinary(FileDescriptorSetSchema, readFileSync(join(root, "gen/descriptors.binpb")));
  const { plugins } = parse(readFileSync(join(root, "buf.gen.yaml"), "utf8")) as {
    plugins: { out: string; opt: string[] }[];
  };
  const { opt } = plugins.find(({ out }) => out === "mesh/istio")!;
  const overlay = (mesh: "sidecar" | "ambient"): Overlay => ({
    kustomization: join(root, `deploy/kubernetes/overlays/istio-${mesh}/production`),
    values: join(root, `mesh/istio/${mesh}/istiod-values.yaml`),
  });
  return {
    name: "the repository's own contract",
    sidecar: overlay("sidecar"),
    ambient: overlay("ambient"),
    ...promised(
      set,
      set.file.map(({ name }) => name),
      opt,
    ),
  };
}

/**
 * Contracts that the generator was not written for, and that of the one policy; generated into `folder`.
 * @param keysUrl where istiod finds the keys of users' tokens
 */
export function otherContracts(folder: string, keysUrl: string): VerifiedContract[] {
  const tokens = `token_issuer=https://id.example,token_audience=all,jwks_url=${keysUrl}`;
  const unseen = readdirSync(join(root, "test/mesh/unseen/testdata"));
  return [
    ...unseen.map((name) => generated(folder, "test/mesh/unseen/testdata", name, tokens)),
    generated(folder, "test/mesh/one-policy/testdata", "library", tokens),
    generated(folder, "test/mesh/one-policy/testdata", "library", ""),
  ];
}

function generated(folder: string, testdata: string, name: string, tokens: string): VerifiedContract {
  const set = compile(`${testdata}/${name}`, [testdata]);
  const options = ["namespace=odd", ...(tokens === "" ? [] : tokens.split(","))];
  const own = mkdtempSync(join(folder, `${name}-`));
  for (const target of ["kubernetes", "istio-sidecar", "istio-ambient"])
    write(set, name, target, options, own);
  const overlay = (mesh: string): Overlay => {
    const kustomization = join(own, `with-${mesh}`);
    mkdirSync(kustomization);
    const content = { resources: ["../kubernetes"], components: [`../${mesh}`] };
    writeFileSync(join(kustomization, "kustomization.yaml"), JSON.stringify(content));
    return { kustomization, values: join(own, mesh, "istiod-values.yaml") };
  };
  const files = set.file.map((file) => file.name).filter((file) => file.startsWith(`${name}/`));
  return {
    name: tokens === "" ? `${name} without users` : name,
    sidecar: overlay("istio-sidecar"),
    ambient: overlay("istio-ambient"),
    ...promised(set, files, options),
  };
}

function write(set: FileDescriptorSet, name: string, target: string, options: string[], folder: string) {
  const { error, file } = generate(set, `${name}/`, [`target=${target}`, ...options].join(","));
  if (error) throw new Error(`${name}: ${error}`);
  for (const { name: path, content } of file) {
    mkdirSync(dirname(join(folder, target, path)), { recursive: true });
    writeFileSync(join(folder, target, path), content);
  }
}
