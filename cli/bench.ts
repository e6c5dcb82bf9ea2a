/** `weft bench`: a small load on one method, and what it costs. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { usageOf } from "#dashboard/sources/process-usage.ts";
import { dashboardSettings } from "#local/dashboard-settings.ts";
import { system } from "#local/system.ts";
import { placesFor } from "#local/topology.ts";
import { loadWorkload } from "#mesh/runtime/identity/workload.ts";
import { createLogger } from "#mesh/runtime/telemetry/log.ts";
import { fullNameOf } from "./call.ts";
import { dashboardClient, dashboardUsage, readArguments, readNumber } from "./dashboard-client.ts";
import { table } from "./print-table.ts";
import { type Command, CommandFailed, WrongUsage } from "./run-command-line.ts";

/** Longest measurements that are kept; at 5,000 calls a second that is more than three minutes. */
const mostCalls = 1_000_000;

interface Figures {
  readonly method: string;
  readonly seconds: number;
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly codes: Readonly<Record<string, number>>;
  /** Milliseconds that this share of calls stayed below. */
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** CPU in milliseconds for each call, by process. */
  readonly cpuMsPerCall: Readonly<Record<string, number>>;
}

export const bench: Command = {
  name: "bench",
  summary: "a small load on one method: latency, and CPU by process",
  usage: `usage: weft bench METHOD [JSON] [--seconds N] [--callers N]

A closed loop over gRPC through the edge: each caller waits for its answer and calls again. Caller and system share this
machine, so the figures tell one change from another, not what a server would do.

  --seconds N        how long (default 5, at most 120)
  --callers N        calls at once (default 8, at most 256)
  --user NAME        sign in as this account of the development seed
  --direct           ask the service itself, not the edge
${dashboardUsage}`,
  async run(args, io) {
    const { values, positionals } = readArguments(args, {
      seconds: { type: "string", default: "5" },
      callers: { type: "string", default: "8" },
      user: { type: "string", default: "" },
      direct: { type: "boolean", default: false },
    });
    const [name, json = "{}"] = positionals;
    if (!name) throw new WrongUsage("name a method");
    const seconds = readNumber("seconds", values.seconds, 1, 120);
    const callers = readNumber("callers", values.callers, 1, 256);
    const { caller, contract } = await ownCaller(resolve(values.data));
    const methods = contract.contract.services.flatMap((service) =>
      service.methods.map(({ path }) => path.slice(1)),
    );
    const full = fullNameOf(name, methods);
    const method = contract.method(full)!;
    if (method.methodKind !== "unary")
      throw new WrongUsage(`${full} is a stream; only unary calls are measured`);
    const { processes } = await dashboardClient(values.data, io.env).listProcesses({});
    const pids = new Map(processes.filter(({ pid }) => pid > 0).map(({ pid, name }) => [pid, name]));
    const wanted = { method, messages: [json], edge: !values.direct, user: values.user };
    const call = await caller.repeat(wanted);
    await call(); // connections and compiled code

    const before = await usageOf([...pids.keys()]);
    const { took, durations, codes } = await closedLoop(call, seconds, callers);
    const after = await usageOf([...pids.keys()]);
    caller.close();
    const calls = durations.length;
    const figures: Figures = {
      method: full,
      seconds: took,
      calls,
      callsPerSecond: calls / took,
      codes: Object.fromEntries(codes),
      p50Ms: quantile(durations, 0.5),
      p90Ms: quantile(durations, 0.9),
      p99Ms: quantile(durations, 0.99),
      maxMs: durations.at(-1) ?? 0,
      cpuMsPerCall: Object.fromEntries(
        [...pids].flatMap(([pid, process]) => {
          const [from, to] = [before.get(pid), after.get(pid)];
          return from && to ? [[process, (to.cpuMs - from.cpuMs) / Math.max(1, calls)]] : [];
        }),
      ),
    };
    io.out(values.json ? JSON.stringify(figures) : report(figures));
    return Object.keys(figures.codes).every((code) => code === "OK") ? 0 : 1;
  },
};

async function closedLoop(
  call: () => Promise<{ code: string; ms: number }>,
  seconds: number,
  callers: number,
) {
  const durations: number[] = [];
  const codes = new Map<string, number>();
  const began = performance.now();
  const end = began + seconds * 1_000;
  const one = async () => {
    while (performance.now() < end && durations.length < mostCalls) {
      const { code, ms } = await call();
      durations.push(ms);
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: callers }, one));
  const took = (performance.now() - began) / 1_000;
  return { took, durations: durations.sort((a, b) => a - b), codes };
}

/** Of sorted values; exact, no estimate. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

function report(figures: Figures): string {
  const ms = (value: number) => `${value.toFixed(value < 10 ? 2 : 1)} ms`;
  const { codes, cpuMsPerCall } = figures;
  const cpu = Object.entries(cpuMsPerCall).sort(([, a], [, b]) => b - a);
  const sum = cpu.reduce((total, [, each]) => total + each, 0);
  return [
    `${figures.method}: ${figures.calls} calls in ${figures.seconds.toFixed(1)} s, ${Math.round(figures.callsPerSecond)}/s`,
    Object.entries(codes)
      .map(([code, count]) => `${code} ${count}`)
      .join("  "),
    `p50 ${ms(figures.p50Ms)}  p90 ${ms(figures.p90Ms)}  p99 ${ms(figures.p99Ms)}  max ${ms(figures.maxMs)}`,
    "",
    table(
      ["PROCESS", "CPU A CALL"],
      [...cpu.filter(([, each]) => each >= 0.005), ["together", sum] as const].map(([process, each]) => [
        process,
        ms(each),
      ]),
    ),
  ].join("\n");
}

/** Calls are made from here, not by the dashboard, whose CPU is one of the figures. */
async function ownCaller(dataDir: string) {
  // Only here: reading the contract takes longer than all the other commands together.
  const { openContract } = await import("#dashboard/sources/contract-model.ts");
  const { Caller } = await import("#dashboard/sources/caller.ts");
  const lock = join(dataDir, "runner.lock");
  if (!existsSync(lock))
    throw new CommandFailed(
      `nothing runs on the data in ${dataDir}: npm start, or name another folder by --data`,
    );
  const { url } = JSON.parse(readFileSync(lock, "utf8")) as { url: string };
  const places = placesFor(system, Number(new URL(url).port) - system.edge.port);
  const placeOf = ({ name }: { name: string }) => ({ name, url: places.url(name) });
  const identity = join(dataDir, "identity");
  const log = createLogger("weft", "silent");
  const settings = {
    mesh: "none" as const,
    identityCertFile: join(identity, "operator.cert.pem"),
    identityKeyFile: join(identity, "operator.key.pem"),
    trustBundleFile: join(identity, "bundle.pem"),
    trustDomain: system.trustDomain,
    namespace: "default",
  };
  const workload = loadWorkload("operator", settings, log);
  const contract = openContract(system.descriptors, dashboardSettings.describedContract);
  const { signIn } = dashboardSettings;
  const caller = new Caller(
    { edge: placeOf(system.edge), services: system.services.map(placeOf), signIn },
    contract,
    workload,
    log,
  );
  return { caller, contract };
}
