import { Code, ConnectError } from "@connectrpc/connect";

/** A command and what it may use. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What `weft help NAME` prints, without the first line. */
  readonly usage: string;
  /** Words that may follow, for completion; options are found in the usage. */
  readonly words?: readonly string[];
  /**
   * @param args what follows the name
   * @returns exit code: 0 done, 1 not all of it could be done
   * @throws WrongUsage, CommandFailed
   */
  run(args: string[], io: Io): Promise<number>;
}

/** Where a command writes, and its environment. */
export interface Io {
  /** Writes lines of the result. */
  out(text: string): void;
  /** Writes lines for the reader that are no result. */
  err(text: string): void;
  readonly env: NodeJS.ProcessEnv;
  /** Whether results go to a terminal: only there they are coloured and drawn anew in place. */
  readonly terminal?: boolean;
}

/** The command line is wrong; the message says where. */
export class WrongUsage extends Error {}

/** The command could not do its work; the message says why, in words for its user. */
export class CommandFailed extends Error {}

/** Runs one command. @returns exit code: 0 done, 1 failed, 2 wrong usage */
export async function runCommandLine(commands: readonly Command[], args: string[], io: Io): Promise<number> {
  const [name = "help", ...rest] = args;
  if (["help", "--help", "-h"].includes(name)) return help(commands, rest[0], io);
  const command = commands.find((known) => known.name === name);
  if (!command) {
    io.err(`weft: there is no command "${name}"\n\n${overview(commands)}`);
    return 2;
  }
  if (rest.includes("--help") || rest.includes("-h")) return help(commands, name, io);
  try {
    return await command.run(rest, io);
  } catch (thrown) {
    const error = inWords(thrown);
    if (error instanceof WrongUsage) {
      io.err(`weft ${name}: ${error.message}\n\n${command.usage}`);
      return 2;
    }
    io.err(`weft ${name}: ${error instanceof CommandFailed ? error.message : (error as Error).stack}`);
    return 1;
  }
}

/** What went wrong in a call is said in words; Connect wraps whatever an interceptor has thrown. */
function inWords(thrown: unknown): unknown {
  if (!(thrown instanceof ConnectError)) return thrown;
  const { cause, code, rawMessage } = thrown;
  if (cause instanceof WrongUsage || cause instanceof CommandFailed) return cause;
  return code === Code.InvalidArgument ? new WrongUsage(rawMessage) : new CommandFailed(rawMessage);
}

function help(commands: readonly Command[], name: string | undefined, io: Io): number {
  const command = commands.find((known) => known.name === name);
  io.out(command ? `weft ${command.name}: ${command.summary}\n\n${command.usage}` : overview(commands));
  return name && !command ? 2 : 0;
}

function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length), "help COMMAND".length);
  const lines = [
    ...commands.map(({ name, summary }) => [name, summary]),
    ["help COMMAND", "says how a command is used"],
  ].map(([name, summary]) => `  ${(name as string).padEnd(width)}   ${summary}`);
  return `usage: npm run weft -- COMMAND [...]\n\n${lines.join("\n")}`;
}
