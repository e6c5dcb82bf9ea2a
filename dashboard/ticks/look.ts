/** One look at everything that has to be asked: processes, their health and figures, the bus, the inbox. */
import { livingFaults } from "#mesh/runtime/faults/fault.ts";
import { readFaults } from "#mesh/runtime/faults/fault-list.ts";
import { getPage } from "../sources/probe.ts";
import { usageOf } from "../sources/process-usage.ts";
import type { Sources } from "../sources/sources.ts";
import { figuresOf } from "./figures-of.ts";

/** How much is asked: processes answer GET /metrics from their databases, which costs them something. */
export interface Depth {
  readonly metrics: boolean;
  readonly bus: boolean;
}

export async function lookAtAll(sources: Sources, { metrics, bus }: Depth): Promise<void> {
  await Promise.all([
    lookAtUsage(sources),
    ...sources.processes.states.map((state) => lookAtProcess(sources, state, metrics)),
    sources.inbox.read().catch((error) => sources.log.warn({ err: error }, "the inbox cannot be read")),
    ...(bus ? [sources.bus.look(), lookAtFaults(sources)] : []),
  ]);
  const { states } = sources.processes;
  sources.metrics.keep(new Set(states.flatMap((state) => figuresOf(sources, state).map(({ name }) => name))));
  const names = new Set(states.map(({ name }) => name));
  for (const name of sources.health.keys()) if (!names.has(name)) sources.health.delete(name);
}

/** While the bus is away nobody can change them, and none ends but by its time. */
async function lookAtFaults(sources: Sources): Promise<void> {
  const { bus } = sources.bus;
  if (!sources.config.faults) return;
  const read = bus?.isConnected() ? await readFaults(bus).catch(() => undefined) : undefined;
  sources.faults = read ?? livingFaults(sources.faults, Date.now());
}

async function lookAtUsage({ processes, usage }: Sources): Promise<void> {
  const pids = processes.states.flatMap(({ pid }) => pid ?? []);
  const found = await usageOf(pids);
  const at = performance.now();
  for (const [pid, now] of found) {
    const before = usage.get(pid);
    const cpuCores = before && at > before.at ? (now.cpuMs - before.cpuMs) / (at - before.at) : undefined;
    usage.set(pid, { ...now, cpuCores, at });
  }
  for (const pid of usage.keys()) if (!found.has(pid)) usage.delete(pid);
}

type State = Sources["processes"]["states"][number];

async function lookAtProcess(sources: Sources, state: State, metrics: boolean): Promise<void> {
  const figures = figuresOf(sources, state);
  if (figures.length === 0 || state.pid === null) {
    sources.health.delete(state.name);
    return;
  }
  const answers = await Promise.all(
    figures.map(async ({ name, url }) => {
      const asked = askedAt(sources, state, url);
      const ready = await getPage(`${asked}/readyz`).then(
        ({ status }) => (status === 200 ? "" : `says that it is not ready (${status})`),
        (error: Error) => `does not answer: ${error.message}`,
      );
      if (metrics && ready === "") await lookAtMetrics(sources, name, asked);
      return ready;
    }),
  );
  sources.health.set(state.name, answers.find((problem) => problem !== "") ?? "");
}

/** Where a process tells of itself: replicas of the edge share a port, and have another one each for this. */
function askedAt({ config }: Sources, { kind, adminPort }: State, url: string): string {
  const { edge } = config.system;
  if (kind !== "single" && adminPort !== null) return `http://127.0.0.1:${adminPort}`;
  return url === edge.url ? (edge.adminUrl ?? url) : url;
}

/** A process that has no such page, or is too busy for it, has no figures now. */
async function lookAtMetrics({ metrics }: Sources, name: string, asked: string): Promise<void> {
  const page = await getPage(`${asked}/metrics`).catch(() => undefined);
  if (page?.status === 200) metrics.add(name, page.text, Date.now());
}
