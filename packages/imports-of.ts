/** What a compiled source imports, in its code or in its types. */
import { readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join } from "node:path";

export type Imported =
  /** A source of the repository: "mesh/runtime/config.ts". */
  { readonly kind: "source"; readonly source: string } | { readonly kind: "package"; readonly name: string };

const folders: Readonly<Record<string, string>> = { "#mesh": "mesh", "#gen": "gen/ts", "#edge": "edge" };

/** @param compiled folder with the compiled tree */
export function importsOf(compiled: string, source: string): Imported[] {
  const texts = [".js", ".d.ts"].map((ending) =>
    readFileSync(join(compiled, source.replace(/\.ts$/, ending)), "utf8"),
  );
  const specifiers = texts.flatMap((text) =>
    [
      ...text.matchAll(
        /(?:^import|^(?:import|export)\b[^;"]*?\bfrom) "([^"\n]+)";?$|\bimport\("([^"]+)"\)/gm,
      ),
    ].map(([, statement, call]) => (statement ?? call) as string),
  );
  return [...new Set(specifiers)].filter((name) => !isBuiltIn(name)).map((name) => imported(source, name));
}

function imported(from: string, name: string): Imported {
  if (name.startsWith("."))
    return { kind: "source", source: join(dirname(from), name).replace(/\.js$/, ".ts") };
  const [start = "", ...rest] = name.split("/");
  const folder = folders[start];
  if (folder) return { kind: "source", source: join(folder, ...rest) };
  return { kind: "package", name: name.startsWith("@") ? `${start}/${rest[0]}` : start };
}

function isBuiltIn(name: string): boolean {
  return name.startsWith("node:") || builtinModules.includes(name);
}
