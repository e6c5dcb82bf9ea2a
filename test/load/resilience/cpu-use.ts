import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import type { ReadyFile } from "#local/ready-file.ts";
import type { Shop } from "../../system/shop.ts";
import { type ProcessUse, processTree } from "../figures/process-tree.ts";
import { note } from "./table.ts";

/** CPU time by name of process, in seconds; that of a server is with its children's. */
export type CpuUse = ReadonlyMap<string, number>;

/** What each process of the shop has used until now. */
export function cpuUse(shop: Shop): CpuUse {
  const { pids } = JSON.parse(readFileSync(shop.readyFile, "utf8")) as ReadyFile;
  return new Map(Object.entries(pids).map(([name, pid]) => [name, sum(processTree(pid))]));
}

/** What was used since; a process that has been started meanwhile counts from its start. */
export function cpuSince(before: CpuUse, after: CpuUse): CpuUse {
  return new Map(
    [...after].map(([name, cpu]) => {
      const used = cpu - (before.get(name) ?? 0);
      return [name, used < 0 ? cpu : used];
    }),
  );
}

/** What both used. */
export function plus(one: CpuUse, other: CpuUse): CpuUse {
  const names = new Set([...one.keys(), ...other.keys()]);
  return new Map([...names].map((name) => [name, (one.get(name) ?? 0) + (other.get(name) ?? 0)]));
}

/** "1.40: edge 0.23, order 0.20": cores, of all and of each that used more than a hundredth. */
export function inCores(use: CpuUse, seconds: number): string {
  const cores = [...use].map(([name, cpu]) => [name, cpu / seconds] as const);
  const total = cores.reduce((all, [, each]) => all + each, 0);
  const listed = cores.filter(([, each]) => each >= 0.005).sort(([, a], [, b]) => b - a);
  return `${total.toFixed(2)}: ${listed.map(([name, each]) => `${name} ${each.toFixed(2)}`).join(", ")}`;
}

/** What else went on: the machine's load average, of 1 and 5 minutes. */
export function noteMachine(when: string): void {
  const [one, five] = loadavg();
  note(`load average of the machine, ${when}`, `${one!.toFixed(1)}, ${five!.toFixed(1)}`);
}

const sum = (processes: readonly ProcessUse[]) => processes.reduce((all, { cpu }) => all + cpu, 0);
