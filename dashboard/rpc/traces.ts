import { create, type JsonObject } from "@bufbuild/protobuf";
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import type { DashboardService } from "#gen/weft/dashboard/v1/dashboard_pb.ts";
import {
  Span_Kind as Kind,
  type Span,
  SpanSchema,
  type TraceSummary,
  TraceSummarySchema,
} from "#gen/weft/dashboard/v1/traces_pb.ts";
import type { ReceivedSpan } from "../sources/otlp.ts";
import type { Sources } from "../sources/sources.ts";
import { type PlacedSpan, type StoredTrace, waterfall } from "../sources/trace-store.ts";

export function tracesRpc({ traces, logs }: Sources) {
  return {
    listTraces: ({ before, limit, ...filter }) => {
      const found = traces.list({ ...filter, before: Number(before), limit: limit || 100 });
      const { first, dropped } = traces.range;
      return { traces: found.map(summaryOf), first, dropped };
    },
    getTrace: ({ traceId }) => {
      const trace = traces.get(traceId);
      if (!trace) throw new ConnectError(`no trace ${traceId} is kept`, Code.NotFound);
      return {
        summary: summaryOf(trace),
        spans: waterfall(trace.spans).map((placed) => spanOf(placed, trace.startedAt)),
        spansDropped: trace.dropped,
        logLines: logs.countOfTrace(traceId),
      };
    },
  } satisfies Partial<ServiceImpl<typeof DashboardService>>;
}

function summaryOf(trace: StoredTrace): TraceSummary {
  const { top } = trace;
  return create(TraceSummarySchema, {
    traceId: trace.traceId,
    position: BigInt(trace.position),
    name: top.name,
    service: top.service,
    startedAt: timestampOf(trace.startedAt),
    durationMs: trace.endedAt - trace.startedAt,
    spans: trace.spans.length,
    errors: trace.errors,
    services: servicesOf(trace),
    status: textOf(top, "http.response.status_code") || textOf(top, "rpc.response.status_code"),
    requestId: textOf(top, "weft.request.id"),
  });
}

/** In the order in which work came to them. */
function servicesOf({ spans }: StoredTrace): string[] {
  const begins = new Map<string, number>();
  for (const { service, startedAt } of spans)
    begins.set(service, Math.min(startedAt, begins.get(service) ?? startedAt));
  return [...begins].sort(([, a], [, b]) => a - b).map(([service]) => service);
}

function spanOf({ span, depth, orphan }: PlacedSpan, traceStart: number): Span {
  return create(SpanSchema, {
    spanId: span.spanId,
    parentId: span.parentId,
    orphan,
    depth,
    name: span.name,
    service: span.service,
    kind: span.kind <= 5 ? (span.kind as Kind) : Kind.KIND_UNSPECIFIED,
    startedAt: timestampOf(span.startedAt),
    offsetMs: span.startedAt - traceStart,
    durationMs: span.endedAt - span.startedAt,
    status: span.status === 2 ? 2 : span.status === 1 ? 1 : 0,
    statusMessage: span.statusMessage || (span.status === 2 ? textOf(span, "error.type") : ""),
    attributes: span.attributes as JsonObject,
    events: span.events.map(({ name, time, attributes }) => ({
      name,
      time: timestampOf(time),
      offsetMs: time - traceStart,
      attributes: attributes as JsonObject,
    })),
    links: [...span.links],
  });
}

/** Milliseconds since 1970, their fraction included. */
function timestampOf(ms: number): Timestamp {
  const seconds = Math.floor(ms / 1_000);
  const nanos = Math.min(999_999_999, Math.round((ms - seconds * 1_000) * 1_000) * 1_000);
  return create(TimestampSchema, { seconds: BigInt(seconds), nanos });
}

function textOf({ attributes }: ReceivedSpan, name: string): string {
  const value = attributes[name];
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
