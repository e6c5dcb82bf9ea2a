/** Ports that a process means to use soon are kept from others that look for free ones at the same time. */
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { releaseLock, takeLock } from "#local/lock-file.ts";

/** A lock for each claimed port. */
const folder = join(tmpdir(), `weft-claimed-ports-${process.getuid?.() ?? 0}`);

/** @returns whether this process has them all until it ends; false: somebody has one of them, and none is claimed */
export function claimPorts(ports: readonly number[]): boolean {
  mkdirSync(folder, { recursive: true });
  const claimed: string[] = [];
  const release = () => claimed.forEach(releaseLock);
  for (const port of ports) {
    const file = join(folder, String(port));
    if (takeLock(file, {})) {
      release();
      return false;
    }
    claimed.push(file);
  }
  process.once("exit", release);
  return true;
}
