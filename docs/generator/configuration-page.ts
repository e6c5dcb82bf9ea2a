/**
 * Environment variables: their names and what they may be from the schemas that parse them, what they mean from the
 * comments of what they are parsed into, or from the table of a README.
 */
import { dirname, join } from "node:path";
import { usage } from "../../deploy/local/options.ts";
import { code, table } from "./markdown.ts";
import { sourcesIn, textOf } from "./sources.ts";

/** A variable as a schema has it. */
interface Variable {
  readonly name: string;
  /** Default in code, "required" or "none". */
  readonly fallback: string;
  /** Values it may have, where it is one of a few. */
  readonly choices: readonly string[];
  readonly meaning: string;
}

export function configurationPage(): string {
  const services = sourcesIn("services").filter(
    (path) => /const schema = z\.object\(/.test(textOf(path)) && /config|settings/.test(path),
  );
  return [
    "# Configuration",
    "Processes read the environment once, strictly: they refuse to start on what is missing or malformed, and name the variable, never its value.",
    "## Every process",
    section("mesh/runtime/config.ts"),
    "## Export of traces",
    section("mesh/runtime/telemetry/telemetry-settings.ts", rowsOf("mesh/runtime/telemetry/README.md")),
    "## The edge",
    section("edge/policies/settings.ts", rowsOf("edge/README.md"), (key) => `WEFT_${key.toUpperCase()}`),
    "Besides, `WEFT_DESCRIPTORS` (`gen/descriptors.binpb`) and `WEFT_OPENAPI` (`gen/openapi/openapi.json`): the contract and its document.",
    "## The dashboard",
    section("dashboard/config.ts"),
    "## The local runner",
    `\`\`\`text\n${usage}\n\`\`\``,
    ...services.flatMap((path) => [`## ${path.split("/")[1]}`, section(path)]),
  ].join("\n\n");
}

function section(
  path: string,
  described: ReadonlyMap<string, string> = new Map(),
  nameOf = (key: string) => key,
): string {
  const rows = variablesIn(path).map(({ name, fallback, choices, meaning }) => [
    code(nameOf(name)),
    choices.length > 0 ? choices.map(code).join(", ") : "",
    fallback,
    described.get(nameOf(name)) ?? described.get(name) ?? meaning,
  ]);
  return `[${path}](../../${path})\n\n${table(["Variable", "One of", "Default", ""], rows)}`;
}

/** Every key of the schemas of a file. */
export function variablesIn(path: string): Variable[] {
  const text = textOf(path);
  const schema = /const schema = z\s*\.?(?:strictObject|object)\(\{\n([\s\S]*?)\n\s*\}\)/.exec(
    text.replace(/const schema = z\n\s*\./, "const schema = z."),
  )?.[1];
  if (schema === undefined) throw new Error(`${path} has no schema`);
  const entries = schema.split(/,\n(?= *\w+:)/).map((entry) => entry.trim().replace(/,$/, ""));
  return entries.map((entry) => {
    const [, name = "", type = ""] = /^(\w+):\s*([\s\S]*)$/.exec(entry) ?? [];
    if (name === "") throw new Error(`${path}: not a variable: ${entry}`);
    return {
      name,
      fallback: fallbackOf(type, path),
      choices: choicesOf(type),
      meaning: meaningOf(name, text),
    };
  });
}

function fallbackOf(type: string, path: string): string {
  const text = textOf(path);
  const given = /\.(?:default|prefault)\(([\s\S]*?)\)$/.exec(type)?.[1];
  if (given !== undefined) return readable(given, path);
  const alias = /^(\w+)/.exec(type)?.[1];
  const definition = alias && new RegExp(`const ${alias} =([\\s\\S]*?);\\n`).exec(text)?.[1];
  if (/\.optional\(\)/.test(type) || /\.optional\(\)|\.default\(""\)/.test(definition ?? "")) return "none";
  return "required";
}

function readable(value: string, path: string): string {
  const text = textOf(path);
  if (/^(\[\]|new Map\(\)|"")$/.test(value)) return "none";
  const source = new RegExp(`import .*\\b${value}\\b.* "(.*)"`).exec(text)?.[1];
  if (source) return readable(constantIn(value, join(dirname(path), source)), path);
  return code(value.replaceAll('"', "").replaceAll("_", ","));
}

/** Of a constant, as its source writes it. */
function constantIn(constant: string, path: string): string {
  return new RegExp(`export const ${constant} = (.*);`).exec(textOf(path))?.[1] ?? constant;
}

function choicesOf(type: string): string[] {
  const listed = /z\.enum\(\[([^\]]*)\]/.exec(type)?.[1] ?? "";
  return [...listed.matchAll(/"([^"]+)"/g)].map(([, choice]) => choice as string);
}

/** The comment of the field that it is read into: `host: value.WEFT_HOST` and `readonly host`. */
function meaningOf(name: string, text: string): string {
  const field = new RegExp(`(\\w+): \\(?(?:parsed\\.data|value)\\.${name}\\b`).exec(text)?.[1];
  if (field === undefined) return "";
  const lines = text.split("\n");
  const at = lines.findIndex((line) => new RegExp(`^ {2}readonly ${field}\\b`).test(line));
  for (let above = at - 1; above >= 0 && /^ {2}(readonly|\/\*\*| \*)/.test(lines[above]!); above--)
    if (lines[above]!.includes("/**"))
      return (
        lines
          .slice(above, at)
          .join(" ")
          .match(/\/\*\*(.*?)\*\//)?.[1]
          ?.trim() ?? ""
      );
  return "";
}

/** Rows of the settings table of a README: every name in the first cell → text in the last. */
function rowsOf(readme: string): Map<string, string> {
  const rows = textOf(readme).matchAll(/^\| (`[^|]*) \| [^|]* \| (.*?) *\|$/gm);
  return new Map(
    [...rows].flatMap(([, names = "", meaning = ""]) =>
      [...names.matchAll(/`(\w+)`/g)].map(([, name]) => [name as string, linked(meaning, readme)] as const),
    ),
  );
}

/** Links of a README are relative to its folder. */
function linked(text: string, readme: string): string {
  return text.replaceAll(
    /\]\((?!\w+:)([^)]+)\)/g,
    (_, target: string) => `](../../${join(dirname(readme), target)})`,
  );
}
