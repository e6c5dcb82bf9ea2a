/** Memory and CPU of processes, as the operating system counts them. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

export interface Usage {
  readonly memoryBytes: number;
  /** CPU time since the process began, in milliseconds. */
  readonly cpuMs: number;
  /** Milliseconds since 1970; undefined where the system does not tell. */
  readonly startedAt: number | undefined;
}

const PAGE = 4_096;
/** Clock ticks a second (USER_HZ): 100 on every Linux that Node runs on. */
const TICKS = 100;

/** Usage of each process that exists, by its id. */
export async function usageOf(pids: readonly number[]): Promise<Map<number, Usage>> {
  if (pids.length === 0) return new Map();
  return process.platform === "linux" ? fromProc(pids) : fromPs(pids);
}

async function fromProc(pids: readonly number[]): Promise<Map<number, Usage>> {
  const booted = await bootTime();
  const found = await Promise.all(
    pids.map(async (pid): Promise<[number, Usage] | undefined> => {
      const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
      if (stat === undefined) return undefined;
      // Fields of proc(5) from the third on: the second may itself contain spaces and brackets.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const [utime, stime, started, rss] = [fields[11], fields[12], fields[19], fields[21]].map(Number);
      return [
        pid,
        {
          memoryBytes: rss! * PAGE,
          cpuMs: ((utime! + stime!) * 1_000) / TICKS,
          startedAt: booted === undefined ? undefined : booted + (started! * 1_000) / TICKS,
        },
      ];
    }),
  );
  return new Map(found.filter((each) => each !== undefined));
}

let boot: Promise<number | undefined> | undefined;

/** Milliseconds since 1970 at which the machine started. */
function bootTime(): Promise<number | undefined> {
  boot ??= readFile("/proc/stat", "utf8").then(
    (text) => {
      const seconds = /^btime (\d+)$/m.exec(text)?.[1];
      return seconds === undefined ? undefined : Number(seconds) * 1_000;
    },
    () => undefined,
  );
  return boot;
}

async function fromPs(pids: readonly number[]): Promise<Map<number, Usage>> {
  const { stdout } = await promisify(execFile)("ps", [
    "-o",
    "pid=,rss=,time=,etime=",
    "-p",
    pids.join(","),
  ]).catch(() => ({ stdout: "" }));
  const rows = stdout
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields.length === 4);
  return new Map(
    rows.map(([pid, rss, time, elapsed]) => [
      Number(pid),
      {
        memoryBytes: Number(rss) * 1_024,
        cpuMs: clockMs(time!),
        startedAt: Date.now() - clockMs(elapsed!),
      },
    ]),
  );
}

/** Milliseconds of ps' "[[DD-]HH:]MM:SS[.FF]". */
function clockMs(text: string): number {
  const [, days = "0", clock = "0"] = /^(?:(\d+)-)?([\d:.]+)$/.exec(text) ?? [];
  const seconds = clock.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  return (Number(days) * 86_400 + seconds) * 1_000;
}
