/** Which files go with the shop: its code and contracts, what imports those, and what knows it without importing it. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { CommandFailed } from "../../run-command-line.ts";
import { root } from "../repository.ts";

/** Folders and files of the shop that no import tells of. */
const knowTheShop = [
  "cli/scaffold/eject",
  "deploy/kubernetes/base/mail.yaml",
  "docs/clients",
  "docs/failures.md",
  "docs/images",
  "docs/polyglot.md",
  "edge/transcode/readme.test.ts",
  "mesh/python/tests",
  "services",
  "test/browser",
  "test/chaos",
  "test/contract/consumers",
  "test/contract/examples.test.ts",
  "test/contract/gate.test.ts",
  "test/contract/shop-examples.ts",
  "test/journeys",
  "test/load/figures",
  "test/load/languages",
  "test/load/money-path",
  "test/load/resilience",
  "test/polyglot/go",
  "test/polyglot/main.ts",
  "test/polyglot/python/events.test.ts",
  "test/polyglot/python/in-the-shop.ts",
  "test/polyglot/python/main.ts",
  "test/scaffold/eject.ts",
  "test/system/docs.test.ts",
  "test/system/printed-calls.test.ts",
];

/** Imports of what goes are edited away */
const edited = ["cli/commands.ts", "deploy/local/single.ts"];
const skipped = ["node_modules", "third_party", ".git", ".weft", "gen"];

/**
 * @returns paths in the repository, sorted
 * @throws CommandFailed when a file of the kit itself imports the shop
 */
export function whatGoes(): string[] {
  const files = allFiles();
  const going = new Set(files.filter(isOfTheShop));
  const imports = new Map(
    files
      .filter((path) => path.endsWith(".ts") && !edited.includes(path))
      .map((path) => [path, importsOf(path)]),
  );
  let size: number;
  do {
    size = going.size;
    for (const [path, targets] of imports)
      if (targets.some((target) => going.has(target) || isContract(target))) going.add(path);
  } while (going.size > size);
  const ofTheKit = [...going].filter((path) => !isOfTheShop(path) && !isTest(path));
  if (ofTheKit.length > 0)
    throw new CommandFailed(`the kit itself imports the shop:\n  ${ofTheKit.join("\n  ")}`);
  return [...going].sort();
}

const isTest = (path: string) => path.startsWith("test/") || /\.test\.ts$|\/testdata\//.test(path);
const isContract = (path: string) => /^gen\/ts\/(?!weft\/|google\/|grpc\/|buf\/)/.test(path);

function isOfTheShop(path: string): boolean {
  if (path.startsWith("proto/")) return !path.startsWith("proto/weft/");
  if (path.startsWith("gen/")) return /^gen\/(go|python)\/shop\//.test(path);
  return knowTheShop.some((place) => path === place || path.startsWith(`${place}/`));
}

function allFiles(): string[] {
  return [...codeAndPages(), ...generatedForOtherLanguages()];
}

/** What `npm run gen` does not write anew, since the language may not be there. */
function generatedForOtherLanguages(): string[] {
  return readdirSync(join(root, "gen"), { recursive: true, encoding: "utf8" })
    .map((path) => join("gen", path))
    .filter((path) => /^gen\/(go|python)\/.*\.\w+$/.test(path));
}

function codeAndPages(): string[] {
  return readdirSync(root, { withFileTypes: true })
    .filter(({ name }) => !skipped.includes(name))
    .flatMap((entry) =>
      entry.isDirectory()
        ? readdirSync(join(root, entry.name), { recursive: true, withFileTypes: true })
            .filter((inner) => inner.isFile())
            .map((inner) => relative(root, join(inner.parentPath, inner.name)))
            .filter((path) => !path.includes("/node_modules/"))
        : [entry.name],
    );
}

const aliases: readonly (readonly [string, string])[] = Object.entries(
  (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { imports: Record<string, string> })
    .imports,
).map(([from, to]) => [from.replace("*", ""), to.replace(/^\.\//, "").replace("*", "")]);

/** Paths that a source imports, and those that it names by `new URL`. */
function importsOf(path: string): string[] {
  const text = readFileSync(join(root, path), "utf8");
  return [...text.matchAll(/(?:from|import|URL)\s*\(?\s*"([^"]+)"/g)].flatMap(([, target = ""]) => {
    if (target.startsWith(".")) return [relative(root, resolve(root, path, "..", target))];
    const alias = aliases.find(([from]) => target.startsWith(from));
    return alias ? [alias[1] + target.slice(alias[0].length)] : [];
  });
}
