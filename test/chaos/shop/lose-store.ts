import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";

/**
 * Kills nats-server and takes its streams away before it can be started again.
 *
 * @param dataDir - the system's
 */
export function loseStore(dataDir: string, pid: number): void {
  const store = join(dataDir, "nats", "jetstream");
  const away = `${store}-lost-${Date.now()}`;
  process.kill(pid, "SIGKILL");
  renameSync(store, away); // at once; to remove a tree takes longer than a restart
  rmSync(away, { recursive: true, force: true });
}
