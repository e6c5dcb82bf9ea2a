/** `weft eject shop`: leaves the kit, for a team that starts a product of its own. */
import { execFileSync } from "node:child_process";
import { parseArgs } from "node:util";
import { type Command, CommandFailed, WrongUsage } from "../../run-command-line.ts";
import { change, exists, root } from "../repository.ts";
import { whatChanges } from "./what-changes.ts";
import { whatGoes } from "./what-goes.ts";

const usage = `usage: weft eject shop [--dry-run] [--force]

Deletes the shop: its contracts, services, tests, data and pages. The kit stays, with an empty services/ and no contract
but its own, and starts. \`weft new service NAME\` is the next step. This command goes with the shop; git brings both back.

  --dry-run   only lists what would go and what would change
  --force     also where git does not have everything`;

export const eject: Command = {
  name: "eject",
  summary: "leaves the kit without the shop: `eject shop`",
  usage,
  async run(args, io) {
    const { values, positionals } = parse(args);
    if (positionals[0] !== "shop" || positionals.length > 1)
      throw new WrongUsage("what to eject is missing: `eject shop`");
    const going = whatGoes();
    const texts = whatChanges(going);
    const list = [...going.map((path) => `- ${path}`), ...[...texts.keys()].sort().map(marked)];
    io.out(list.join("\n"));
    if (values["dry-run"]) {
      io.err(`${going.length} files would go (-), ${texts.size} would change (M) or come (+)`);
      return 0;
    }
    if (!values.force) refuseUncommitted();
    io.err("deleting, writing and generating…");
    await change(new Map([...going.map((path) => [path, undefined] as const), ...texts]));
    io.out(`the shop is gone: ${going.length} files. The kit is yours:

  npm start                              runs it
  npm run weft -- new service reviews    adds a service`);
    return 0;
  },
};

const marked = (path: string) => `${exists(path) ? "M" : "+"} ${path}`;

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        "dry-run": { type: "boolean", default: false },
        force: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    throw new WrongUsage((error as Error).message);
  }
}

/** @throws CommandFailed when something would be lost for good */
function refuseUncommitted(): void {
  const status = gitStatus();
  if (status === undefined)
    throw new CommandFailed(
      "this is no git repository, so that nothing could be brought back; --force does it anyway",
    );
  if (status !== "")
    throw new CommandFailed(`git does not have these yet; commit them, or --force:\n${status.trimEnd()}`);
}

function gitStatus(): string | undefined {
  try {
    return execFileSync("git", ["status", "--porcelain"], { cwd: root, encoding: "utf8", stdio: "pipe" });
  } catch {
    return undefined;
  }
}
