import { readdirSync, readFileSync } from "node:fs";

/**
 * CPU time a process has used so far, all threads, in microseconds. Read from the scheduler's own count
 * (Linux, /proc/PID/task/TID/schedstat), which is exact where the usual ticks are 10 ms.
 */
export function cpuMicros(pid: number): number {
  let nanos = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    nanos += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  }
  return nanos / 1_000;
}

/** Resident memory of a process, in bytes. */
export function residentBytes(pid: number): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) * 1024;
}
