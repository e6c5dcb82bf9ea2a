import { type SpawnOptions, spawn } from "node:child_process";

/** A command that ended badly, took too long or is not installed; the message says which, in one line. */
export class CommandFailed extends Error {}

/**
 * Runs a command to its end.
 *
 * @param options.seconds after which it is killed
 * @returns what it wrote to stdout
 * @throws CommandFailed
 */
export async function runCommand(
  command: string,
  args: string[],
  options: Pick<SpawnOptions, "cwd" | "env" | "uid" | "gid"> & { seconds: number },
): Promise<string> {
  const { seconds, ...rest } = options;
  // A group of its own, so that a compiler's children end with it.
  const child = spawn(command, args, { ...rest, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let complaints = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (complaints = `${complaints}${chunk}`.slice(-4_000)));
  const kill = () => {
    try {
      if (child.pid) process.kill(process.platform === "win32" ? child.pid : -child.pid, "SIGKILL");
    } catch {} // already gone
  };
  process.once("exit", kill);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    kill();
  }, seconds * 1000);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", (error: NodeJS.ErrnoException) => {
        reject(
          new CommandFailed(
            error.code === "ENOENT" ? `${command} is not here` : `${command}: ${error.message}`,
          ),
        );
      });
      child.once("close", resolve);
    });
    if (timedOut) throw new CommandFailed(`${command} took longer than ${seconds} s`);
    if (code !== 0) throw new CommandFailed(`${command} failed: ${lastLine(complaints || output)}`);
    return output;
  } finally {
    clearTimeout(timer);
    process.off("exit", kill);
  }
}

function lastLine(text: string): string {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? "no output";
}
