import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { processesOf, type Run } from "./run.ts";
import { runningPids } from "./run-system.ts";

/** The running system as programs read it (--ready-file). Rewritten when a process was restarted. */
export type ReadyFile = {
  /** Of the runner. */
  pid: number;
  edgeUrl: string;
  /** By name of service or server. */
  ports: Record<string, number>;
  /** By name of process; what is being restarted is missing. */
  pids: Record<string, number>;
  dataDir: string;
  inbox: string;
  logs: string;
};

export function writeReadyFile(file: string, run: Run): void {
  const { system, options, places } = run;
  const description: ReadyFile = {
    pid: process.pid,
    edgeUrl: places.url(system.edge.name),
    ports: Object.fromEntries([
      ...places.all.map(({ name, port }) => [name, port]),
      ...processesOf(run)
        .filter(({ about }) => about.kind === "service")
        .map(({ name, about }) => [name, about.port]),
    ]),
    pids: runningPids(run),
    dataDir: options.dataDir,
    inbox: join(options.dataDir, "inbox"),
    logs: join(options.dataDir, "logs"),
  };
  writeFileSync(`${file}.new`, JSON.stringify(description, null, 2), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
