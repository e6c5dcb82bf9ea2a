import { create, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { type Timestamp, timestampFromDate } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { DashboardService } from "#gen/weft/dashboard/v1/dashboard_pb.ts";
import { type TimelineStep, TimelineStepSchema } from "#gen/weft/dashboard/v1/timelines_pb.ts";
import type { TimelineSettings } from "../config.ts";
import type { Sources } from "../sources/sources.ts";
import type { StreamEvent } from "../sources/stream-events.ts";
import { TimelineIndex } from "../sources/timelines.ts";
import { busOf } from "./events.ts";

export function timelinesRpc(sources: Sources) {
  const { config, contract, caller } = sources;
  const views = new Map(
    config.system.timelines.map((settings) => [
      settings.name,
      { settings, index: new TimelineIndex(settings, contract) },
    ]),
  );
  const viewOf = (name: string) => {
    const view = views.get(name);
    if (!view) throw new ConnectError(`there is no view "${name}"`, Code.NotFound);
    return view;
  };
  const read = async (index: TimelineIndex) => {
    await index.read(busOf(sources)).catch((error: Error) => {
      throw new ConnectError(`bus: ${error.message}`, Code.Unavailable);
    });
  };
  const ask = (settings: TimelineSettings, what: "resource" | "steps", key: string, signal: AbortSignal) => {
    const { method: name, keyField } = settings[what];
    const method = contract.method(name);
    if (!method) throw new ConnectError(`the contract has no ${name}`, Code.FailedPrecondition);
    const messages = [JSON.stringify({ [keyField]: key })];
    return caller.reply({ method, messages, edge: true, user: settings.account }, signal);
  };

  return {
    listTimelines: async ({ view, limit }) => {
      const { index } = viewOf(view);
      await read(index);
      return {
        timelines: index.newest(limit || 50).map(({ key, events }) => ({
          key,
          lastEvent: shortName(events.at(-1)!.type),
          changedAt: timestampFromDate(events.at(-1)!.time),
          firstSeenAt: timestampFromDate(events[0]!.time),
          traceId: events[0]!.traceId,
        })),
      };
    },
    getTimeline: async ({ view, key }, { signal }) => {
      const { settings, index } = viewOf(view);
      // What its service says counts; without the bus only the events are missing.
      const [resource, steps] = await Promise.all([
        ask(settings, "resource", key, signal),
        ask(settings, "steps", key, signal),
        read(index).catch(() => {}),
      ]);
      const events = index.get(key)?.events ?? [];
      const list = steps[settings.steps.listField];
      return {
        key,
        state: textOf(resource[settings.resource.stateField]),
        resource,
        steps: (Array.isArray(list) ? list : []).map((step) => stepOf(settings, step as JsonObject)),
        events: events.map(eventOf),
        traceId: events[0]?.traceId ?? "",
      };
    },
  } satisfies Partial<ServiceImpl<typeof DashboardService>>;
}

function stepOf({ steps }: TimelineSettings, step: JsonObject): TimelineStep {
  const outcome = textOf(step[steps.outcomeField]);
  return create(TimelineStepSchema, {
    name: textOf(step[steps.nameField]),
    attempt: Number(step[steps.attemptField] ?? 0),
    outcome,
    failed: !steps.good.includes(outcome),
    reason: textOf(step[steps.reasonField]),
    startedAt: timeOf(step[steps.startedField]),
    endedAt: timeOf(step[steps.endedField]),
  });
}

function eventOf({ type, time, stream, sequence, traceId }: StreamEvent) {
  return {
    name: shortName(type),
    time: timestampFromDate(time),
    stream,
    sequence: BigInt(sequence),
    traceId,
  };
}

function shortName(type: string): string {
  return type.slice(type.lastIndexOf(".") + 1);
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}

function timeOf(value: JsonValue | undefined): Timestamp | undefined {
  const time = Date.parse(textOf(value));
  return Number.isNaN(time) ? undefined : timestampFromDate(new Date(time));
}
