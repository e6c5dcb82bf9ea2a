import { join } from "node:path";
import { releaseLock, takeLock } from "./lock-file.ts";

/** Another runner works on the same data. */
export class AlreadyRunning extends Error {
  readonly pid: number;
  readonly url: string;
  constructor({ pid, url }: { pid: number; url: string }) {
    super(`already running: process ${pid}, at ${url}. Stop it with Ctrl-C in its terminal or: kill ${pid}`);
    this.pid = pid;
    this.url = url;
  }
}

/**
 * Makes sure that one runner at a time works on a data folder. The lock of a
 * runner that was killed does not count.
 *
 * @param url where this runner's system will be, told to a second one
 * @returns a function that gives the folder free again
 * @throws AlreadyRunning
 */
export function lockDataDir(dataDir: string, url: string): () => void {
  const file = join(dataDir, "runner.lock");
  const holder = takeLock(file, { url });
  if (holder) throw new AlreadyRunning(holder);
  return () => releaseLock(file);
}
