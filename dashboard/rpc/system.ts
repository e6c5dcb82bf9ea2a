import { create } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  System_Ability as Ability,
  type DashboardService,
  LimitsSchema,
} from "#gen/weft/dashboard/v1/dashboard_pb.ts";
import { limits, type Sources } from "../sources/sources.ts";
import { followTicks } from "../ticks/follow-ticks.ts";
import { processesOf } from "../ticks/processes.ts";
import type { Ticker } from "../ticks/ticker.ts";
import { topologyOf } from "../ticks/topology.ts";

/** What runs, and how it goes. */
export function systemRpc(sources: Sources, ticker: Ticker, stopping: AbortSignal) {
  const { config, contract, startedAt } = sources;
  const { system } = config;
  return {
    getSystem: () => ({
      title: system.title,
      contractVersion: contract.version,
      startedAt: timestampFromDate(startedAt),
      abilities: abilitiesOf(sources),
      edgeUrl: system.edge.url,
      users: Object.keys(system.signIn?.accounts ?? {}),
      timelineViews: system.timelines.map(({ name, title }) => ({ name, title })),
      limits: create(LimitsSchema, {
        logLines: BigInt(limits.logLines),
        traces: BigInt(limits.traces),
        spansPerTrace: BigInt(limits.spansPerTrace),
        seriesSeconds: BigInt(limits.seriesSeconds),
        ticks: BigInt(limits.ticks),
      }),
    }),
    async *watchTicks({ after }, { signal }) {
      const ended = AbortSignal.any([signal, stopping]);
      for await (const tick of followTicks(ticker, Number(after), ended)) yield tick;
    },
    getSeries: ({ seconds }) => {
      const points = [...ticker.points.after(0)];
      const since = seconds > 0 ? Date.now() / 1_000 - seconds : 0;
      return { points: points.filter(({ time }) => Number(time!.seconds) >= since) };
    },
    listProcesses: () => ({ processes: processesOf(sources) }),
    getTopology: () => topologyOf(sources),
  } satisfies Partial<ServiceImpl<typeof DashboardService>>;
}

function abilitiesOf({ config, bus }: Sources): Ability[] {
  return [
    Ability.CONTROL,
    Ability.CALL,
    ...(config.development && bus.bus ? [Ability.PUBLISH] : []),
    ...(config.faults ? [Ability.FAULTS] : []),
  ];
}
