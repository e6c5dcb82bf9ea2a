/** What the Dockerfile copies is what each process needs: no file and no package is missing from an image. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join, relative, resolve } from "node:path";
import { expect, test } from "vitest";
import { root } from "./generated-objects.ts";

const dockerfile = readFileSync(join(root, "deploy/docker/Dockerfile"), "utf8");
const { dependencies, imports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  dependencies: Record<string, string>;
  imports: Record<string, string>;
};
const copied = [...dockerfile.matchAll(/^COPY (?!--from)(\S+) (\S+)$/gm)].map((match) => match[1]!);
const entries = [
  ...readdirSync(join(root, "services"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `services/${name}/main.ts`)
    .filter((path) => existsSync(join(root, path))), // others are in other languages
  ...[...dockerfile.matchAll(/ENTRY=(\S+\.ts) */g)]
    .map((match) => match[1]!)
    .filter((path) => !path.includes("$")),
];

/** Files that an entry leads to, and packages that they name. */
function reachedFrom(entry: string): { files: Set<string>; packages: Set<string> } {
  const [files, packages] = [new Set<string>(), new Set<string>()];
  const visit = (path: string) => {
    if (files.has(path)) return;
    files.add(path);
    if (!path.endsWith(".ts")) return;
    const text = readFileSync(join(root, path), "utf8");
    const statements = /^(?:import|export) (?!type )(?:[^";]*? from )?"([^"\n]+)"|\bimport\("([^"\n]+)"\)/gm;
    for (const [, named, dynamic] of text.matchAll(statements)) {
      const name = named ?? dynamic!;
      const local = localPath(name, path);
      if (local) visit(local);
      else if (!name.startsWith("node:") && !builtinModules.includes(name))
        packages.add(
          name!
            .split("/")
            .slice(0, name!.startsWith("@") ? 2 : 1)
            .join("/"),
        );
    }
  };
  visit(entry);
  return { files, packages };
}

function localPath(name: string, from: string): string | undefined {
  if (name.startsWith(".")) return relative(root, resolve(root, from, "..", name));
  const alias = Object.entries(imports).find(([pattern]) => name.startsWith(pattern.slice(0, -1)));
  return alias && join(alias[1].slice(0, -1), name.slice(alias[0].length - 1));
}

test.each(entries)("%s finds all it imports", (entry) => {
  const { files, packages } = reachedFrom(entry);
  expect(files.size).toBeGreaterThan(20);
  const outside = [...files].filter((file) => !copied.some((place) => file.startsWith(`${place}/`)));
  expect(outside, "files that are not copied").toEqual([]);
  expect([...files].filter((file) => !existsSync(join(root, file)))).toEqual([]);
  expect(
    [...packages].filter((name) => !(name in dependencies)),
    "packages of development only",
  ).toEqual([]);
});
