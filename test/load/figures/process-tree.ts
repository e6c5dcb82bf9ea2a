import { readdirSync, readFileSync } from "node:fs";

/** A process, what it holds and what it has used. */
export interface ProcessUse {
  readonly pid: number;
  readonly command: string;
  /** Proportional set size in bytes: a page that n processes share counts as 1/n for each. */
  readonly pss: number;
  /** CPU time in seconds, with that of its children that have ended. */
  readonly cpu: number;
}

/** Ticks a second of /proc/PID/stat: USER_HZ, which is 100 on every Linux that Node runs on. */
const ticks = 100;

/** A process and all that it has started, directly or not. Linux only. */
export function processTree(root: number): ProcessUse[] {
  const all = new Map(processes().map((process) => [process.pid, process]));
  const children = Map.groupBy(all.values(), ({ parent }) => parent);
  const tree = (pid: number): number[] => [
    pid,
    ...(children.get(pid) ?? []).flatMap((child) => tree(child.pid)),
  ];
  return tree(root).flatMap((pid) => {
    const rollup = read(pid, "smaps_rollup");
    const command = read(pid, "cmdline")?.replaceAll("\0", " ").trim();
    if (rollup === undefined || command === undefined) return []; // it has ended meanwhile
    return [
      {
        pid,
        command,
        pss: Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1] ?? 0) * 1024,
        cpu: all.get(pid)?.cpu ?? 0,
      },
    ];
  });
}

function processes(): { pid: number; parent: number; cpu: number }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = read(Number(name), "stat");
      if (stat === undefined) return [];
      // "pid (command) state ppid …": a command may hold spaces and brackets. From state on, proc(5) counts from 3.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const field = (number: number) => Number(fields[number - 3]);
      const cpu = (field(14) + field(15) + field(16) + field(17)) / ticks;
      return [{ pid: Number(name), parent: field(4), cpu }];
    });
}

function read(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return undefined;
  }
}
