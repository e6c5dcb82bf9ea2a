/** `weft new service`: a service of one's own, complete, registered everywhere. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import { system } from "#local/system.ts";
import { processNames } from "#local/topology.ts";
import { type Command, CommandFailed, type Io, WrongUsage } from "../run-command-line.ts";
import { languageCalled, languageNames } from "./languages.ts";
import { type Spellings, spellingsFor } from "./naming.ts";
import { type NewService, registrations } from "./registrations.ts";
import { change, exists, protoFiles, root, textOf } from "./repository.ts";
import { filesOf, fill } from "./templates.ts";

const usage = `usage: weft new service NAME [--lang LANGUAGE] [--thing THING] [--package PACKAGE] [--port PORT]

Writes contract, handlers, use cases, rules, tables, migration, event, consumer, tests and README of a service,
enters it wherever services are listed, and generates what follows. \`weft remove service NAME\` undoes it.

  NAME               in the mesh, such as reviews or gift-cards; asked for when it is left out
  --thing THING      what it keeps, such as Review or GiftCard (default: NAME in the singular)
  --package PACKAGE  first part of the Protobuf package (default: that of the other services)
  --port PORT        port on this machine (default: the next free one)
  --lang LANGUAGE    one of ${languageNames} (default: ts)`;

export const newService: Command = {
  name: "new",
  summary: "writes a new service: `new service reviews`",
  usage,
  async run(args, io) {
    const { values, positionals } = parse(args);
    if (positionals[0] !== "service" || positionals.length > 2)
      throw new WrongUsage("what to make is missing or not known: `new service NAME`");
    const language = languageCalled(values.lang);
    const name = positionals[1] ?? (await ask("Name of the service, such as reviews: "));
    const spellings = spellingsFor(name, {
      thing: values.thing,
      root: values.package ?? usualPackage(),
      today: new Date(),
    });
    const refused = language.refuses?.(spellings);
    if (refused !== undefined) throw new WrongUsage(refused);
    const port = portFor(values.port);
    checkFree(spellings);
    const service: NewService = { spellings, port, language };
    const files = filesOf(spellings, language);
    const entries = registrations
      .filter(({ path }) => exists(path))
      .map(({ path, add }) => [path, add(textOf(path), service)] as const);
    io.err(`writing ${files.size} files and ${entries.length} entries, and generating…`);
    const leftOut = await change(new Map([...files, ...entries]), language.stubs);
    for (const line of leftOut) io.err(line);
    report(service, io);
    return 0;
  },
};

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        thing: { type: "string" },
        package: { type: "string" },
        port: { type: "string" },
        lang: { type: "string", default: "ts" },
      },
    });
  } catch (error) {
    throw new WrongUsage((error as Error).message);
  }
}

async function ask(question: string): Promise<string> {
  if (!process.stdin.isTTY) throw new WrongUsage("NAME is missing");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await lines.question(question)).trim();
  } finally {
    lines.close();
  }
}

/** The folder that holds the other services' contracts; "app" in a repository without any. */
function usualPackage(): string {
  const folders = readdirSync(join(root, "proto")).filter((name) => name !== "weft" && !name.startsWith("."));
  if (folders.length > 1) throw new WrongUsage(`--package: must be given, one of ${folders.join(", ")}`);
  return folders[0] ?? "app";
}

function portFor(given: string | undefined): number {
  const taken = new Set([
    ...[...system.services, system.edge].map(({ port }) => port),
    ...Object.values(system.servers),
  ]);
  if (given !== undefined) {
    const port = Number(given);
    if (!Number.isInteger(port) || port < 1024 || port > 49_151)
      throw new WrongUsage(`--port: "${given}" must be a number from 1024 to 49151`);
    if (taken.has(port)) throw new WrongUsage(`--port: ${port} is taken, see deploy/local/system.ts`);
    return port;
  }
  let port = Math.max(9_000, ...system.services.map((service) => service.port)) + 1;
  while (taken.has(port)) port++;
  return port;
}

/** @throws CommandFailed saying what is in the way */
function checkFree({ name, dir, path }: Spellings): void {
  if (processNames(system).includes(name))
    throw new CommandFailed(`NAME: "${name}" is taken, see deploy/local/system.ts`);
  for (const folder of [`services/${name}`, `proto/${dir}`])
    if (exists(folder)) throw new CommandFailed(`NAME: "${name}" is taken: ${folder} exists`);
  for (const file of protoFiles()) {
    const text = textOf(file);
    if (new RegExp(`^\\s*name: "${name}"`, "m").test(text))
      throw new CommandFailed(`NAME: "${name}" is taken: ${file} has a service of this name`);
    if (new RegExp(`"/v1/${path}["/:?{]`).test(text))
      throw new CommandFailed(`--thing: the path /v1/${path} is taken in ${file}`);
  }
}

function report({ spellings, port, language }: NewService, { out }: Io): void {
  const { name, dir, file, path } = spellings;
  const own = language.tests === undefined ? "" : `  ${fill(language.tests, spellings)}\n`;
  out(`services/${name} and proto/${dir} are there, and the edge serves /v1/${path}.

  npm test -- services/${name}      its tests
${own}  npm start                    runs it with all others; it listens on ${port}

Go on in proto/${dir}/${file}.proto and services/${name}/README.md.`);
}
