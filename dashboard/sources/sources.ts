/** Everything the dashboard reads from, and what it keeps of it. */
import { join } from "node:path";
import { type Control, controlOf } from "#local/control/client.ts";
import type { Logger } from "#mesh/runtime/telemetry/log.ts";
import type { DashboardConfig } from "../config.ts";
import { type BusSource, openBus } from "./bus.ts";
import { type ContractModel, openContract } from "./contract-model.ts";
import { InboxStore } from "./inbox-store.ts";
import { LogStore } from "./log-store.ts";
import { LogTail } from "./log-tail.ts";
import { Metrics } from "./metrics.ts";
import type { Usage } from "./process-usage.ts";
import { type FollowedProcesses, followProcesses } from "./processes.ts";

/** The bounds of what is kept; GetSystem tells them. */
export const limits = {
  logLines: 100_000,
  traces: 10_000,
  spansPerTrace: 2_000,
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
  readonly logs: LogStore;
  readonly tail: LogTail;
  readonly inbox: InboxStore;
  readonly metrics: Metrics;
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
  return {
    config,
    log,
    startedAt: new Date(),
    contract: openContract(system.descriptors, system.describedContract),
    control,
    processes,
    bus,
    logs: new LogStore(limits.logLines),
    tail: new LogTail(join(system.dataDir, "logs")),
    inbox: new InboxStore(join(system.dataDir, "inbox"), limits.mails),
    metrics: new Metrics(),
    usage: new Map(),
    health: new Map(),
    async stop() {
      processes.stop();
      await bus.stop();
    },
  };
}
