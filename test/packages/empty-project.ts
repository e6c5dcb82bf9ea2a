/** A project of somebody else: the packages' archives, what they depend on, and a service of its own. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");
const read = (file: string) => JSON.parse(readFileSync(join(root, file), "utf8"));

export interface EmptyProject {
  readonly folder: string;
  /** Runs a program of the project. @returns what it printed @throws Error with what it printed */
  run(program: string, ...args: string[]): string;
  /** Starts a program of the project. The caller ends it. */
  start(program: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess;
  remove(): void;
}

/**
 * Installs the archives. Other packages are those of this repository's lock file, which npm has in its cache.
 * @param archives paths by name of the package
 */
export function installInEmptyProject(archives: ReadonlyMap<string, string>): EmptyProject {
  const folder = mkdtempSync(join(tmpdir(), "weft-packages-"));
  cpSync(join(import.meta.dirname, "testdata/project"), folder, { recursive: true });
  const { dependencies, devDependencies } = read("package.json");
  const versions: Record<string, string> = { ...dependencies, ...devDependencies };
  const tested = (...names: string[]) => Object.fromEntries(names.map((name) => [name, versions[name]]));
  const manifest = {
    name: "greetings",
    private: true,
    type: "module",
    dependencies: {
      ...Object.fromEntries([...archives].map(([name, path]) => [name, `file:${path}`])),
      ...tested(
        "@bufbuild/protobuf",
        "@bufbuild/protovalidate",
        "@mikro-orm/core",
        "@mikro-orm/migrations",
        "uuid",
      ),
    },
    devDependencies: tested("@bufbuild/buf", "@bufbuild/protoc-gen-es", "@types/node", "typescript"),
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  const { packages, ...lock } = read("package-lock.json");
  const { "": _, ...locked } = packages;
  writeFileSync(
    join(folder, "package-lock.json"),
    JSON.stringify({ ...lock, name: manifest.name, packages: { "": manifest, ...locked } }),
  );

  const env = { ...process.env, PATH: `${join(folder, "node_modules/.bin")}:${process.env.PATH}` };
  const run = (program: string, ...args: string[]) => {
    try {
      return execFileSync(program, args, { cwd: folder, env, encoding: "utf8", stdio: "pipe" });
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`${program} ${args.join(" ")}\n${stdout}\n${stderr}`);
    }
  };
  run("npm", "install", "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts");
  return {
    folder,
    run,
    start: (program, args, own) =>
      spawn(program, args, { cwd: folder, env: { ...env, ...own }, stdio: ["ignore", "pipe", "inherit"] }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
