/** Everything the dashboard reads from, and what it keeps of it. */
import { join } from "node:path";
import { DeadLetterService } from "#gen/weft/events/v1/dead_letters_pb.ts";
import { type Control, controlOf } from "#local/control/client.ts";
import { fixedUpstreams } from "#mesh/runtime/discovery/upstreams.ts";
import type { Fault } from "#mesh/runtime/faults/fault.ts";
import { loadWorkload } from "#mesh/runtime/identity/workload.ts";
import { createClients } from "#mesh/runtime/rpc/clients.ts";
import type { Logger } from "#mesh/runtime/telemetry/log.ts";
import type { DashboardConfig } from "../config.ts";
import { type BusSource, openBus } from "./bus.ts";
import { Caller } from "./caller.ts";
import { type ContractModel, openContract } from "./contract-model.ts";
import type { DeadLetterSource } from "./dead-letters.ts";
import { InboxStore } from "./inbox-store.ts";
import { LogStore } from "./log-store.ts";
import { LogTail } from "./log-tail.ts";
import { Metrics } from "./metrics.ts";
import type { Usage } from "./process-usage.ts";
import { type FollowedProcesses, followProcesses } from "./processes.ts";
import { TraceStore } from "./trace-store.ts";

/** The bounds of what is kept; GetSystem tells them. */
export const limits = {
  logLines: 100_000,
  traces: 10_000,
  spansPerTrace: 2_000,
  spans: 250_000,
  seriesSeconds: 3_600,
  ticks: 600,
  mails: 10_000,
} as const;

export interface Sources {
  readonly config: DashboardConfig;
  readonly log: Logger;
  readonly startedAt: Date;
  readonly contract: ContractModel;
  readonly control: Control;
  readonly processes: FollowedProcesses;
  readonly bus: BusSource;
  /** Clients of all services, as the operator. */
  readonly deadLetters: readonly DeadLetterSource[];
  /** Calls methods by their descriptor. */
  readonly caller: Caller;
  readonly logs: LogStore;
  readonly tail: LogTail;
  readonly traces: TraceStore;
  readonly inbox: InboxStore;
  readonly metrics: Metrics;
  /** Faults that are injected on purpose, at the last look. */
  faults: readonly Fault[];
  /** By process id, at the last look. */
  readonly usage: Map<number, Usage & { cpuCores?: number; at: number }>;
  /** Problem of each process that is not ready, by its name, at the last look; "" for one that is. */
  readonly health: Map<string, string>;
  stop(): Promise<void>;
}

/** @throws Error when the contract cannot be read; everything else may be away and come later */
export async function openSources(config: DashboardConfig, log: Logger): Promise<Sources> {
  const { system } = config;
  const control = controlOf(system.dataDir);
  const processes = followProcesses(control, () => {});
  const bus = await openBus(config.natsUrl, log);
  const { trustDomain } = system;
  const workload = loadWorkload(
    "operator",
    { ...config, mesh: "none", trustDomain, namespace: "default" },
    log,
  );
  const upstreams = new Map(system.services.map(({ name, url }) => [name, url]));
  const clients = createClients({ workload, upstreams: fixedUpstreams(upstreams, workload, log) });
  const contract = openContract(system.descriptors, system.describedContract);
  const caller = new Caller(system, contract, workload, log);
  return {
    config,
    log,
    startedAt: new Date(),
    contract,
    control,
    processes,
    bus,
    caller,
    deadLetters: system.services.map(({ name }) => ({
      service: name,
      client: clients(DeadLetterService, name),
    })),
    logs: new LogStore(limits.logLines),
    tail: new LogTail(join(system.dataDir, "logs")),
    traces: new TraceStore(limits),
    inbox: new InboxStore(join(system.dataDir, "inbox"), limits.mails),
    metrics: new Metrics(),
    faults: [],
    usage: new Map(),
    health: new Map(),
    async stop() {
      processes.stop();
      caller.close();
      workload.credentials?.close();
      await bus.stop();
    },
  };
}
