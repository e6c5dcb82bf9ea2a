/** Every command of the tool, as `weft help COMMAND` prints it, and every script of npm. */
import { commands } from "../../cli/commands.ts";
import { code, table } from "./markdown.ts";
import { textOf } from "./sources.ts";

export function commandsPage(): string {
  const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };
  return [
    "# Commands",
    "`npm run weft -- COMMAND`; exit codes: 0 done, 1 not all of it could be done, 2 the command line is wrong.",
    ...commands.map(
      ({ name, summary, usage }) => `## weft ${name}\n\n${capital(summary)}.\n\n${fenced(usage)}`,
    ),
    "## npm run",
    table(
      ["Script", "Runs"],
      Object.entries(scripts).map(([name, command]) => [code(name), code(command)]),
    ),
  ].join("\n\n");
}

const capital = (text: string) => (text[0] ?? "").toUpperCase() + text.slice(1);
const fenced = (text: string) => `\`\`\`text\n${text}\n\`\`\``;
