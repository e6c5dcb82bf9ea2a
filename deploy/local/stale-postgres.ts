import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { commandLine, isAlive, workingFolder } from "./process-identity.ts";

/**
 * A killed runner may leave its server running, and postmaster.pid in any case.
 * The server is ended if it is one and works on this very folder; a pid that now
 * belongs to something else only means that the file is stale.
 *
 * @param folder PGDATA
 * @throws Error if the server does not end even by SIGKILL
 */
export async function endStaleServer(folder: string): Promise<void> {
  const file = join(folder, "postmaster.pid");
  const pid = Number(firstLine(file));
  if (!Number.isInteger(pid) || pid <= 1) return;
  const ours = workingFolder(pid) === folder || commandLine(pid).includes(` ${folder} `);
  if (!ours) {
    rmSync(file, { force: true });
    return;
  }
  for (const [signal, milliseconds] of [
    ["SIGINT", 8_000],
    ["SIGQUIT", 4_000],
    ["SIGKILL", 2_000],
  ] as const) {
    process.kill(pid, signal);
    const deadline = Date.now() + milliseconds;
    while (isAlive(pid) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 25));
    if (!isAlive(pid)) return;
  }
  throw new Error(`PostgreSQL process ${pid} of an earlier start does not end: end it, then start again.`);
}

function firstLine(file: string): string {
  try {
    return readFileSync(file, "utf8").split("\n")[0] ?? "";
  } catch {
    return "";
  }
}
