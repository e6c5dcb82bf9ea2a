import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";

/**
 * A process id alone does not name a process: the system reuses ids. These
 * functions add what does not repeat (start time) or what only our process
 * has (command line, working folder), so that nothing foreign is ever signalled.
 */

const linux = process.platform === "linux";

/** Whether a process with this id exists. A zombie has ended: it counts as gone. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return statFields(pid)?.[0] !== "Z";
}

/** When the process started, as an opaque text that differs between reuses of an id; "" if it is gone. */
export function startTime(pid: number): string {
  if (linux) return statFields(pid)?.[19] ?? "";
  return ask("ps", ["-o", "lstart=", "-p", String(pid)]);
}

/** The command line with spaces between arguments; "" if the process is gone or hidden from us. */
export function commandLine(pid: number): string {
  if (!linux) return ask("ps", ["-o", "command=", "-p", String(pid)]);
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}

/** The working folder of a process; "" where the system does not tell. */
export function workingFolder(pid: number): string {
  try {
    return linux ? readlinkSync(`/proc/${pid}/cwd`) : "";
  } catch {
    return "";
  }
}

/** Fields of /proc/PID/stat from the third on; the second may itself contain spaces and brackets. */
function statFields(pid: number): string[] | undefined {
  if (!linux) return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

function ask(command: string, args: string[]): string {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "";
  }
}
