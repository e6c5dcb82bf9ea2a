import { spawnSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Enough for the clusters of a run with its write-ahead log, in MiB. */
const sizeMiB = 900;

/** Why a disk of limited size cannot be had here; undefined when it can. */
export function cannotLimitDisk(): string | undefined {
  if (process.platform !== "linux") return "needs Linux";
  if (process.getuid?.() !== 0) return "needs root, to mount a file system of limited size";
  const probe = mkdtempSync(join(tmpdir(), "weft-mount-"));
  try {
    limitDisk(probe)();
    return undefined;
  } catch (error) {
    return `cannot mount a file system of limited size: ${(error as Error).message}`;
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
}

/**
 * Puts a file system of limited size, in memory, at an empty folder or one that does not exist yet.
 *
 * @returns undoes it
 * @throws Error with what mount says
 */
export function limitDisk(folder: string): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${sizeMiB}m,mode=0711`, "tmpfs", folder], {
    encoding: "utf8",
  });
  if (mounted.status !== 0) throw new Error(`mount: ${mounted.stderr.trim()}`);
  return () => {
    spawnSync("umount", ["-l", folder]);
  };
}

/**
 * Takes all the space that is left.
 *
 * @returns gives it back
 */
export function fillDisk(folder: string): () => void {
  const ballast = join(folder, "ballast");
  const file = openSync(ballast, "w");
  for (const size of [1024 * 1024, 4096, 1]) {
    const block = Buffer.alloc(size);
    try {
      for (;;) if (writeSync(file, block) < size) break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }
  closeSync(file);
  return () => rmSync(ballast, { force: true });
}
