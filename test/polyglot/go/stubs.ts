import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Generates the stubs beside the committed ones. @returns the files of gen/go that differ, are missing or left over */
export function differencesInStubs(root: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), "weft-gen-go-"));
  try {
    const args = ["generate", "--template", "buf.gen.go.yaml", "-o", folder];
    execFileSync(join(root, "node_modules/.bin/buf"), args, { cwd: root, stdio: "inherit" });
    const [wanted, found] = [filesIn(join(folder, "gen/go")), filesIn(join(root, "gen/go"))];
    const names = new Set([...wanted.keys(), ...found.keys()]);
    return [...names].filter((name) => wanted.get(name) !== found.get(name)).sort();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function filesIn(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".go"),
  );
  return new Map(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}
