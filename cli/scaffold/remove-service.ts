/** `weft remove service`: takes a service out of wherever `weft new service` put it. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { system } from "#local/system.ts";
import { type Command, CommandFailed, WrongUsage } from "../run-command-line.ts";
import type { Spellings } from "./naming.ts";
import { registrations } from "./registrations.ts";
import { change, exists, protoFiles, root, textOf } from "./repository.ts";
import { spellingsOf } from "./spellings-of.ts";

const usage = `usage: weft remove service NAME --yes

Deletes services/NAME and its contract, takes its entries out, and generates what follows. Refuses while another
service calls it, reads its events or uses its types. Its database on this machine stays until \`.weft\` is deleted.

  --yes   really; without it, only says what would go`;

export const removeService: Command = {
  name: "remove",
  summary: "takes a service out again: `remove service reviews`",
  usage,
  async run(args, io) {
    const { values, positionals } = parse(args);
    const [what, name] = positionals;
    if (what !== "service" || name === undefined || positionals.length > 2)
      throw new WrongUsage("what to remove is missing: `remove service NAME`");
    if (!system.services.some((service) => service.name === name))
      throw new CommandFailed(`NAME: there is no service "${name}" in deploy/local/system.ts`);
    const spellings = spellingsOf(name);
    const users = usersOf(spellings);
    if (users.length > 0) throw new CommandFailed(`"${name}" is still used:\n  ${users.join("\n  ")}`);
    // Stubs in other languages too: `npm run gen` does not write those anew where the language is not here.
    const folders = [
      `services/${name}`,
      ...["proto", "gen/go", "gen/python"].map((each) => `${each}/${spellings.dir}`),
    ];
    const gone = folders.flatMap(filesIn);
    if (!values.yes) {
      io.out(gone.join("\n"));
      io.err(`${gone.length} files would go; --yes deletes them`);
      return 1;
    }
    const entries = registrations
      .filter(({ path }) => exists(path))
      .map(({ path, remove }) => [path, remove(textOf(path), spellings)] as const);
    const leftOut = await change(new Map([...gone.map((path) => [path, undefined] as const), ...entries]));
    for (const line of leftOut) io.err(line);
    io.out(`${name} is gone: ${gone.length} files and ${entries.length} entries`);
    return 0;
  },
};

function parse(args: string[]) {
  try {
    return parseArgs({ args, allowPositionals: true, options: { yes: { type: "boolean", default: false } } });
  } catch (error) {
    throw new WrongUsage((error as Error).message);
  }
}

/** "FILE: why" of everything else that needs the service. */
function usersOf({ name, dir }: Spellings): string[] {
  const contracts = protoFiles()
    .filter((path) => !path.startsWith(`proto/${dir}/`))
    .filter(
      (path) =>
        textOf(path).includes(`"${dir}/`) ||
        new RegExp(`(callers: .*|service: )"${name}"`).test(textOf(path)),
    )
    .map((path) => `${path}: names it as a caller or a reader, or uses its types`);
  const code = ["services", "edge", "mesh", "test"]
    .flatMap(filesIn)
    .filter((path) => path.endsWith(".ts") && !path.startsWith(`services/${name}/`))
    .filter((path) => new RegExp(`#gen/${dir}/|services/${name}/`).test(textOf(path)))
    .map((path) => `${path}: imports it`);
  return [...contracts, ...code];
}

function filesIn(folder: string): string[] {
  if (!exists(folder)) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));
}
