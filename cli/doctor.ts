/** `weft doctor`: what is wrong with the machine or the running system, and what to do about it. */
import { existsSync, statfsSync } from "node:fs";
import { join, resolve } from "node:path";
import { styleText } from "node:util";
import type { Tick } from "#gen/weft/dashboard/v1/dashboard_pb.ts";
import { Process_State as State } from "#gen/weft/dashboard/v1/processes_pb.ts";
import { examineMachine } from "#local/doctor.ts";
import { readOptions } from "#local/options.ts";
import { system } from "#local/system.ts";
import { dashboardClient, dashboardUsage, readArguments } from "./dashboard-client.ts";
import { bytes } from "./print-table.ts";
import { type Command, CommandFailed, type Io } from "./run-command-line.ts";
import { stateOf } from "./status.ts";

/** What came of one look. */
interface Finding {
  readonly check: string;
  readonly result: "ok" | "warning" | "failed";
  readonly detail: string;
  /** What to do; left out where nothing needs to be done. */
  readonly fix?: string;
}

const leastDisk = 300 * 1024 ** 2;
/** Events that may wait before it is worth a word. */
const muchLag = 1_000n;

export const doctor: Command = {
  name: "doctor",
  summary: "what is wrong here, and what to do about it",
  usage: `usage: weft doctor

Looks at the machine, and at the system if it runs. Fails (exit code 1) when something is broken; warnings are none.

${dashboardUsage}`,
  async run(args, io) {
    const { values } = readArguments(args, {});
    const running =
      Boolean(io.env.WEFT_DASHBOARD_URL) || existsSync(join(resolve(values.data), "runner.lock"));
    const findings = running ? await examineSystem(values.data, io) : await examineStart(values.data, io);
    for (const finding of findings) io.out(values.json ? JSON.stringify(finding) : lineFor(finding, io));
    return findings.some(({ result }) => result === "failed") ? 1 : 0;
  },
};

/** Whether the system could be started here. */
async function examineStart(dataDir: string, io: Io): Promise<Finding[]> {
  const notRunning: Finding = {
    check: "system",
    result: "warning",
    detail: "does not run",
    fix: "npm start",
  };
  try {
    const options = readOptions(system, ["--data", dataDir], io.env);
    const { summary, warnings } = await examineMachine(system, options, "npm start");
    return [
      { check: "machine", result: "ok", detail: summary },
      ...warnings.map((detail): Finding => ({ check: "machine", result: "warning", detail })),
      notRunning,
    ];
  } catch (error) {
    return [{ check: "machine", result: "failed", detail: (error as Error).message }, notRunning];
  }
}

async function examineSystem(dataDir: string, io: Io): Promise<Finding[]> {
  const client = dashboardClient(dataDir, io.env);
  try {
    const signal = AbortSignal.timeout(15_000);
    let last: Tick | undefined;
    // Two looks: rates and lags of the first one may be old.
    for await (const tick of client.watchTicks({}, { signal })) {
      if (last) return [...examineDisk(dataDir), ...examineTick(tick)];
      last = tick;
    }
    throw new CommandFailed("the dashboard ended");
  } catch (error) {
    const fix = "look at dashboard.log in the folder of logs; the system runs without the dashboard";
    return [{ check: "dashboard", result: "failed", detail: (error as Error).message, fix }];
  }
}

function examineDisk(dataDir: string): Finding[] {
  const { bavail, bsize } = statfsSync(resolve(dataDir));
  const free = bavail * bsize;
  const detail = `${bytes(free)} free at ${resolve(dataDir)}`;
  return [
    free < leastDisk ? { check: "disk", result: "failed", detail, fix: "free some" } : ok("disk", detail),
  ];
}

function examineTick(tick: Tick): Finding[] {
  const { processes, consumers, openDeadLetters = 0, unpublishedEvents = 0, faults, problems, traces } = tick;
  const lagging = consumers.filter(({ pending }) => pending > muchLag);
  const idle = consumers.filter(({ active }) => !active);
  const findings: (Finding | false)[] = [
    ...problems.map((detail): Finding => ({ check: "source", result: "failed", detail })),
    ...processes.map((process): Finding => {
      const detail = `${stateOf(process)}${process.problem ? `: ${process.problem}` : ""}`;
      if (process.state === State.STOPPED || process.state === State.FAILED)
        return { check: process.name, result: "failed", detail, fix: `weft start ${process.name}` };
      if (process.state !== State.READY)
        return {
          check: process.name,
          result: "failed",
          detail,
          fix: `weft logs ${process.name} --level warn`,
        };
      if (process.restarts > 0)
        return {
          check: process.name,
          result: "warning",
          detail: `ended ${process.restarts} times by itself, last: ${process.lastEnd}`,
          fix: `weft logs ${process.name} --level error`,
        };
      return ok(process.name, detail);
    }),
    lagging.length === 0 && idle.length === 0 && ok("consumers", `${consumers.length} read, none is behind`),
    ...lagging.map(
      ({ name, pending }): Finding => ({ check: name, result: "warning", detail: `${pending} events wait` }),
    ),
    ...idle.map(
      ({ name, service }): Finding => ({
        check: name,
        result: "warning",
        detail: "nobody reads",
        fix: `weft logs ${service} --level warn`,
      }),
    ),
    openDeadLetters > 0
      ? {
          check: "dead letters",
          result: "warning",
          detail: `${openDeadLetters} are open`,
          fix: "weft dlq list",
        }
      : ok("dead letters", "none is open"),
    unpublishedEvents > 100 && {
      check: "outbox",
      result: "warning",
      detail: `${unpublishedEvents} events wait to be published`,
      fix: "weft logs nats",
    },
    ...faults.map(
      ({ method }): Finding => ({
        check: "faults",
        result: "warning",
        detail: `${method} fails or is slow on purpose`,
        fix: "weft fault clear",
      }),
    ),
    (traces?.last ?? 0n) > 0n
      ? ok("traces", `${traces!.last - traces!.first + 1n} are kept`)
      : { check: "traces", result: "warning", detail: "none has come yet", fix: "make a call: weft call" },
  ];
  return findings.filter((finding) => finding !== false);
}

function ok(check: string, detail: string): Finding {
  return { check, result: "ok", detail };
}

function lineFor({ check, result, detail, fix }: Finding, io: Io): string {
  const [sign, colour] = { ok: ["✓", "green"], warning: ["!", "yellow"], failed: ["✗", "red"] }[result] as [
    string,
    "green" | "yellow" | "red",
  ];
  const shown = io.terminal ? styleText(colour, sign) : sign;
  return `${shown} ${check.padEnd(14)} ${detail}${fix ? `\n  → ${fix}` : ""}`;
}
