/** Files that stay and speak of the shop, and their new texts. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { system } from "#local/system.ts";
import { CommandFailed } from "../../run-command-line.ts";
import { registrations } from "../registrations.ts";
import { exists, root, textOf } from "../repository.ts";
import { spellingsOf } from "../spellings-of.ts";

type Edit = (text: string) => string;

const jwks = /^( *- jwks_url=).*$/gm;

/** Beyond the entries of services, which `registrations` take out. */
const edits: Readonly<Record<string, Edit>> = {
  "README.md": () => template("README.md"),
  "package.json": withoutScripts,
  "buf.gen.yaml": (text) =>
    replaced(text, [
      [/title=Weft shop/, "title=Weft"],
      [/^ *- summary=.*\n/m, ""],
      [jwks, "$1https://id.example.com/.well-known/jwks.json"],
    ]),
  ".ci/run": (text) => text.replaceAll(/\nstep "[^"\n]*"\nnpm run --silent (scaffold:eject|polyglot)\n/g, ""),
  "cli/commands.ts": (text) =>
    replaced(text, [
      [/^import \{ eject \}.*\n/m, ""],
      [/^ {2}eject,\n/m, ""],
    ]),
  "cli/commands.test.ts": (text) => replaced(text, [[/^ {2}\["eject".*\n/m, ""]]),
  "cli/README.md": (text) =>
    replaced(text, [[/^\| `new`.*\n/m, "| `new`, `remove` | makes a service, takes one out |\n"]]),
  "CONTRIBUTING.md": (text) =>
    text
      .replaceAll("proto/shop/", "proto/app/")
      .replaceAll(/^npm test -- services\/inventory\n/gm, "")
      .replace(/^- A service that is there in several languages.*\n(?: {2}.*\n)*/m, ""),
  "deploy/local/system.ts": (text) =>
    replaced(text.replaceAll(/^import .* from "\.\/implementations\/.*\n/gm, ""), [
      [/^ {4}keys: \{\n(?: {6}.*\n)* {4}\},\n/m, ""],
      [/^ {2}welcome,$/m, "  welcome: (places, folders) => welcome(system.services, places, folders),"],
    ]),
  "deploy/local/welcome.ts": () => template("welcome.ts"),
  "deploy/local/dashboard-settings.ts": () => template("dashboard-settings.ts"),
  "deploy/local/seed.json": () => "{}\n",
  "deploy/docker/compose.yaml": (text) =>
    replaced(text, [
      [/^ {2}WEFT_JWKS_SERVICE: .*\n/m, ""],
      [/^( {2}WEFT_JWKS_URL: ).*$/m, "$1https://id.example.com/.well-known/jwks.json"],
      [/^ {2}mail:\n(?: {4}.*\n)+\n/m, ""],
      [/^# The edge is at (\S+),.*$/m, "# The edge is at $1."],
      [/The whole shop/, "The whole system"],
    ]),
  "deploy/kubernetes/base/kustomization.yaml": (text) =>
    replaced(text, [
      [/^ {2}- mail\.yaml\n/m, ""],
      [/^patches:\n(?: .*\n)+/m, ""],
      [/The shop/, "The system"],
    ]),
  "deploy/kubernetes/base/gateway.yaml": (text) => text.replaceAll("shop.example.com", "api.example.com"),
  "deploy/kubernetes/make-secrets.ts": (text) => replaced(text, [[/^.*"email-mail".*\n/m, ""]]),
  "docs/tutorial/first-service.md": (text) =>
    replaced(text.replaceAll("shop/reviews", "app/reviews"), [
      [/^TOKEN=[\s\S]*?\n(?=curl )/m, "TOKEN=$(npm run --silent weft -- token alice --role customer)\n"],
      [/as one of the demo users/, "as a user, whose token the runner issues"],
    ]),
  "test/architecture.test.ts": (text) =>
    replaced(text, [[/const rules = \[.*\];/, "const rules: string[] = [];"]]),
};

/** New files. */
const added: Readonly<Record<string, string>> = {
  "services/.gitkeep": "",
  "test/journeys/start.test.ts": template("start.test.ts"),
};

/**
 * @param going paths of what is deleted
 * @returns path → new text
 * @throws CommandFailed when a file does not read as its edit expects
 */
export function whatChanges(going: readonly string[]): Map<string, string> {
  const gone = new Set(going);
  const texts = new Map<string, string>(Object.entries(added));
  const change = (path: string, edit: Edit) => {
    try {
      texts.set(path, edit(texts.get(path) ?? textOf(path)));
    } catch (error) {
      throw new CommandFailed(`${path} is not as it came: ${(error as Error).message}`);
    }
  };
  for (const { name } of system.services)
    for (const { path, remove } of registrations)
      if (exists(path)) change(path, (text) => remove(text, spellingsOf(name)));
  for (const [path, edit] of Object.entries(edits)) change(path, edit);
  for (const path of pages().filter((page) => !gone.has(page))) {
    const text = texts.get(path) ?? textOf(path);
    const linked = withoutCommands(withoutLinks(text, dirname(path), gone), goneScripts());
    if (linked !== text) texts.set(path, linked);
  }
  return texts;
}

function template(name: string): string {
  return readFileSync(join(import.meta.dirname, "template", `${name}.tpl`), "utf8");
}

function replaced(text: string, edits: readonly (readonly [RegExp, string])[]): string {
  return edits.reduce((before, [from, to]) => {
    if (before.search(from) < 0) throw new Error(`no place like ${from}`);
    return before.replace(from, to);
  }, text);
}

/** Scripts whose program goes. */
function goneScripts(): string[] {
  const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };
  return Object.keys(scripts).filter((name) => goneProgram.test(scripts[name] as string));
}

const goneProgram =
  /test\/(chaos|browser|load\/(figures|languages|money-path|resilience)|polyglot\/(\w+\/)?main|scaffold\/eject)\b|docs\/clients\b/;

/** Without the lines and half sentences of a page that call what is gone. */
function withoutCommands(text: string, scripts: readonly string[]): string {
  return scripts.reduce(
    (page, name) =>
      page
        .replaceAll(new RegExp(`^npm run ${name}\\b.*\\n`, "gm"), "")
        .replaceAll(new RegExp(`[;,] (?:which )?\`npm run ${name}\\b[^\`]*\`[^.;]*(?=[.;])`, "g"), ""),
    text,
  );
}

/** The formatting is npm's. */
function withoutScripts(text: string): string {
  const manifest = JSON.parse(text) as { description: string; scripts: Record<string, string> };
  const scripts = Object.entries(manifest.scripts).filter(([, command]) => !goneProgram.test(command));
  const description = "A product on a gRPC-first service mesh.";
  return `${JSON.stringify({ ...manifest, description, scripts: Object.fromEntries(scripts) }, null, 2)}\n`;
}

function pages(): string[] {
  const folders = ["docs", "deploy", "edge", "mesh", "dashboard", "cli", "test"];
  const below = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".md"))
      .map((path) => join(folder, path)),
  );
  return [...below, "CONTRIBUTING.md"].filter((path) => !path.includes("node_modules"));
}

/** Links to what is gone become their words; pictures of it go. */
function withoutLinks(text: string, folder: string, gone: ReadonlySet<string>): string {
  const isGone = (target: string) => {
    const path = relative(root, join(root, folder, target.replace(/#.*/, "")));
    return gone.has(path) || [...gone].some((file) => file.startsWith(`${path}/`) && !remains(path, gone));
  };
  return text
    .replace(/!\[([^\]]*)\]\(([^)]+)\)\n?/g, (whole, _, target: string) => (isGone(target) ? "" : whole))
    .replace(/\[([^\]]+)\]\(([^)\s]+)\)/g, (whole, words: string, target: string) =>
      /^\w+:/.test(target) || target.startsWith("#") || !isGone(target) ? whole : words,
    );
}

function remains(folder: string, gone: ReadonlySet<string>): boolean {
  if (!existsSync(join(root, folder))) return false;
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true }).some(
    (entry) => entry.isFile() && !gone.has(relative(root, join(entry.parentPath, entry.name))),
  );
}
