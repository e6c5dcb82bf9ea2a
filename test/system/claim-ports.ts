/** Ports that a process means to use soon are kept from others that look for free ones at the same time. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAlive } from "#local/process-identity.ts";

/** A file for each claimed port, with the id of the process that has it. */
const folder = join(tmpdir(), `weft-claimed-ports-${process.getuid?.() ?? 0}`);

/** @returns whether this process has them all until it ends; false: another one has one of them, and none is claimed */
export function claimPorts(ports: readonly number[]): boolean {
  mkdirSync(folder, { recursive: true });
  const claimed: string[] = [];
  const release = () => {
    for (const file of claimed) rmSync(file, { force: true });
  };
  for (const port of ports) {
    const file = join(folder, String(port));
    if (!claim(file)) {
      release();
      return false;
    }
    claimed.push(file);
  }
  process.once("exit", release);
  return true;
}

function claim(file: string): boolean {
  const owner = ownerOf(file);
  if (owner === process.pid || (owner !== undefined && isAlive(owner))) return false;
  rmSync(file, { force: true }); // of a process that was killed
  try {
    writeFileSync(file, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Undefined where nobody has claimed it, and while somebody is about to. */
function ownerOf(file: string): number | undefined {
  try {
    return Number(readFileSync(file, "utf8")) || undefined;
  } catch {
    return undefined;
  }
}
