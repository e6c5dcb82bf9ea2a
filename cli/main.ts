/** `npm run weft -- COMMAND`: the command-line tool of whoever runs the mesh. */
import { commands } from "./commands.ts";
import { runCommandLine } from "./run-command-line.ts";

process.exitCode = await runCommandLine(commands, process.argv.slice(2), {
  out: (text) => process.stdout.write(`${text}\n`),
  err: (text) => process.stderr.write(`${text}\n`),
  env: process.env,
  terminal: process.stdout.isTTY === true,
});
// Connections to services must not keep the process alive; what is written must get out first.
process.stdout.write("", () => process.exit());
