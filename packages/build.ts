/**
 * `npm run packages`: makes the packages in .weft/packages, each as a folder and as the .tgz of `npm pack`.
 *
 * DESIGN. The sources are compiled once, into a tree like theirs. A package gets the part of it that its entries
 * reach. Names of sources (`#mesh/x.ts`) stay as they are and are found through the package's own `imports`; what it
 * depends on is what the compiled files import, in the versions that are tested here.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { importsOf } from "./imports-of.ts";
import { type PackageSpec, packages } from "./what-packages-hold.ts";

const root = resolve(import.meta.dirname, "..");
const target = join(root, ".weft/packages");
const compiled = join(target, "compiled");

interface Manifest {
  readonly version: string;
  readonly license: string;
  readonly engines: Record<string, string>;
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
}
const manifest: Manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** @returns paths of the archives, by name of the package */
export function buildPackages(): Map<string, string> {
  rmSync(target, { recursive: true, force: true });
  const sources = ["mesh", "edge", "gen/ts"].flatMap(sourcesIn);
  compile(packages.flatMap(({ entries }) => entries(sources)));
  const archives = packages.map((spec) => [spec.name, pack(assemble(spec, sources))] as const);
  rmSync(compiled, { recursive: true });
  return new Map(archives);
}

function sourcesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((path) => join(folder, path))
    .filter((path) => path.endsWith(".ts") && !/\.test\.ts$|\/testdata\//.test(path));
}

function compile(files: readonly string[]): void {
  const settings = {
    extends: relative(target, join(root, "tsconfig.json")),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      rewriteRelativeImportExtensions: true,
      noCheck: true, // `npm run typecheck` does; here it would complain of every `#mesh/x.ts`, which stays as it is
      rootDir: relative(target, root),
      outDir: relative(target, compiled),
    },
    include: [],
    files: files.map((file) => relative(target, join(root, file))),
  };
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, "tsconfig.json"), JSON.stringify(settings));
  execFileSync(join(root, "node_modules/.bin/tsc"), ["-p", join(target, "tsconfig.json")], {
    stdio: "inherit",
  });
  rmSync(join(target, "tsconfig.json"));
}

/** @returns folder of the package */
function assemble(spec: PackageSpec, sources: readonly string[]): string {
  const folder = join(target, spec.folder);
  const outside = new Set<string>(spec.alsoNeeds);
  const inside = new Set<string>();
  const visit = (source: string) => {
    if (inside.has(source)) return;
    inside.add(source);
    for (const ending of [".js", ".d.ts"]) {
      const path = source.replace(/\.ts$/, ending);
      mkdirSync(dirname(join(folder, "dist", path)), { recursive: true });
      cpSync(join(compiled, path), join(folder, "dist", path));
    }
    for (const imported of importsOf(compiled, source)) {
      if (imported.kind === "package") outside.add(imported.name);
      else if (spec.owns(imported.source)) visit(imported.source);
      else outside.add("@weft/runtime");
    }
  };
  for (const entry of spec.entries(sources)) visit(entry);
  if (spec.protos) copyProtos(join(folder, "proto"));
  cpSync(join(root, "packages", spec.folder, "README.md"), join(folder, "README.md"));
  cpSync(join(root, "LICENSE"), join(folder, "LICENSE"));
  for (const path of Object.values(spec.bin ?? {})) makeExecutable(join(folder, path));
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifestOf(spec, outside), null, 2)}\n`);
  return folder;
}

function manifestOf(spec: PackageSpec, needs: ReadonlySet<string>) {
  const files = (path: string) => ({ types: `./${path}.d.ts`, default: `./${path}.js` });
  const mapped = (places: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(places).map(([name, path]) => [name, path.startsWith("dist/") ? files(path) : path]),
    );
  return {
    name: spec.name,
    version: manifest.version,
    description: spec.description,
    license: manifest.license,
    type: "module",
    engines: manifest.engines,
    exports: { ...mapped(spec.exports), "./package.json": "./package.json" },
    imports: mapped(spec.imports),
    ...(spec.bin && { bin: spec.bin }),
    files: ["dist", ...(spec.protos ? ["proto"] : [])],
    dependencies: Object.fromEntries([...needs].sort().map((name) => [name, versionOf(name)])),
  };
}

/** @throws Error for a package that the root does not list: its version is not one that is tested */
function versionOf(name: string): string {
  if (packages.some((spec) => spec.name === name)) return manifest.version;
  const version = manifest.dependencies[name] ?? manifest.devDependencies[name];
  if (version === undefined) throw new Error(`${name} is imported, and is not in package.json`);
  return version;
}

/** The kit's contracts that others import or serve, and those of others that they need. */
function copyProtos(folder: string): void {
  cpSync(join(root, "third_party"), folder, { recursive: true });
  for (const name of ["policy", "events", "mesh"])
    cpSync(join(root, "proto/weft", name), join(folder, "weft", name), { recursive: true });
}

function makeExecutable(file: string): void {
  writeFileSync(file, `#!/usr/bin/env node\n${readFileSync(file, "utf8")}`);
  chmodSync(file, 0o755);
}

/** @returns path of the archive */
function pack(folder: string): string {
  const [packed] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--pack-destination", target], { cwd: folder, encoding: "utf8" }),
  ) as { filename: string }[];
  return join(target, packed!.filename);
}

if (import.meta.main)
  for (const [name, archive] of buildPackages()) console.log(`${name}: ${relative(root, archive)}`);
