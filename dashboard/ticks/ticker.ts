/**
 * DESIGN
 *
 * One loop looks at the system and makes a tick of it: each second while somebody watches, every five seconds
 * otherwise, so that a dashboard nobody has open costs next to nothing. Ticks are kept for those who come back.
 */
import { EventEmitter } from "node:events";
import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampNow } from "@bufbuild/protobuf/wkt";
import { type Point, PointSchema, type Tick, TickSchema } from "#gen/weft/dashboard/v1/dashboard_pb.ts";
import { faultMessages } from "../rpc/faults.ts";
import { Ring } from "../sources/ring.ts";
import { limits, type Sources } from "../sources/sources.ts";
import { edgeFigures, trafficOf } from "./call-traffic.ts";
import { figuresOf } from "./figures-of.ts";
import { lookAtAll } from "./look.ts";
import { processesOf } from "./processes.ts";
import { consumersOf } from "./streams.ts";
import { busyEdges } from "./topology.ts";

const tickMs = 1_000;
const idleTickMs = 5_000;
/** Without anybody watching, whoever asked lately may ask again. */
const attentionMs = 10_000;
const logMs = 250;

export interface Ticker {
  readonly ticks: Ring<Tick>;
  readonly points: Ring<Point>;
  /** Calls `hear` with each new tick, and has the system looked at each second. @returns ends both */
  watch(hear: (tick: Tick) => void): () => void;
  /** Says that somebody is looking, though not watching. */
  touch(): void;
  /** Resolves after the next look. */
  nextTick(): Promise<Tick>;
  stop(): Promise<void>;
}

export function startTicker(sources: Sources): Ticker {
  const ticks = new Ring<Tick>(limits.ticks);
  const points = new Ring<Point>(limits.seriesSeconds);
  const news = new EventEmitter().setMaxListeners(0);
  let watchers = 0;
  let touchedAt = 0;
  let stopped = false;
  let wake = () => {};
  const isWatched = () => watchers > 0 || Date.now() - touchedAt < attentionMs;

  const tick = async () => {
    await lookAtAll(sources, { metrics: true, bus: true });
    const made = ticks.push((sequence) => makeTick(sources, sequence));
    points.push(() => made.point!);
    news.emit("tick", made);
  };
  const tickOn = async () => {
    while (!stopped) {
      const began = performance.now();
      await tick().catch((error) => sources.log.error({ err: error }, "a tick failed"));
      const period = isWatched() ? tickMs : idleTickMs;
      await pause(period - (performance.now() - began), (end) => {
        wake = end;
      });
    }
  };
  const readLogs = async () => {
    while (!stopped) {
      await sources.tail.read().then(
        (lines) => sources.logs.add(lines),
        (error) => sources.log.warn({ err: error }, "logs cannot be read"),
      );
      await pause(isWatched() ? logMs : tickMs, () => {});
    }
  };
  const running = Promise.all([tickOn(), readLogs()]);
  const attend = () => {
    if (!isWatched()) wake();
  };

  return {
    ticks,
    points,
    watch(hear) {
      attend();
      watchers++;
      news.on("tick", hear);
      return () => {
        if (news.listeners("tick").includes(hear)) watchers--;
        news.off("tick", hear);
      };
    },
    touch() {
      attend();
      touchedAt = Date.now();
    },
    nextTick: () => new Promise((resolve) => news.once("tick", resolve)),
    async stop() {
      stopped = true;
      wake();
      await running;
    },
  };
}

function pause(ms: number, onEnd: (end: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, Math.max(10, ms));
    onEnd(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function makeTick(sources: Sources, sequence: number): Tick {
  const time = timestampNow();
  const { logs, traces, inbox, processes, bus } = sources;
  return create(TickSchema, {
    sequence: BigInt(sequence),
    time,
    point: pointOf(sources, time),
    processes: processesOf(sources),
    edges: busyEdges(sources),
    logs: logs.range,
    traces: traces.range,
    mails: inbox.range,
    consumers: consumersOf(sources),
    openDeadLetters: sumOfGauge(sources, "weft_dead_letters", ({ state }) => state === "open"),
    unpublishedEvents: sumOfGauge(sources, "weft_outbox_unpublished"),
    faults: faultMessages(sources.faults),
    problems: [processes.problem, bus.problem].filter((problem) => problem !== undefined),
  });
}

function pointOf(sources: Sources, time: Timestamp): Point {
  const { seconds, figures } = edgeFigures(sources);
  const traffic = figures.length > 0 ? trafficOf(figures, seconds) : undefined;
  const used = [...sources.usage.values()];
  const cpu = used.flatMap(({ cpuCores }) => cpuCores ?? []);
  return create(PointSchema, {
    time,
    rate: traffic?.rate,
    success: traffic?.success,
    p50Ms: traffic?.p50Ms,
    p95Ms: traffic?.p95Ms,
    p99Ms: traffic?.p99Ms,
    cpuCores: cpu.length > 0 ? cpu.reduce((sum, cores) => sum + cores, 0) : undefined,
    memoryBytes:
      used.length > 0 ? BigInt(used.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0)) : undefined,
    eventRate: eventRate(sources),
  });
}

function eventRate({ bus }: Sources): number | undefined {
  const [now, before] = [bus.looks[0], bus.looks.at(-1)];
  if (!now || !before || now === before) return undefined;
  const published = (look: typeof now) => look.streams.reduce((sum, { state }) => sum + state.last_seq, 0);
  return Math.max(0, published(now) - published(before)) / ((now.at - before.at) / 1_000);
}

/** Sum of a gauge over all processes; undefined when none has it. */
function sumOfGauge(
  sources: Sources,
  name: string,
  matches: (labels: Readonly<Record<string, string>>) => boolean = () => true,
): number | undefined {
  const { processes, metrics } = sources;
  const names = processes.states.flatMap((state) => figuresOf(sources, state).map((figures) => figures.name));
  const samples = names.flatMap((process) => metrics.values(process, name));
  const seen = samples.length > 0 || names.some((process) => metrics.hasLook(process));
  if (!seen) return undefined;
  return samples.filter(({ labels }) => matches(labels)).reduce((sum, { value }) => sum + value, 0);
}
