/** More log lines and traces than a dashboard keeps, made as processes make them. */
import { randomBytes } from "node:crypto";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { encodeTraces, otlpContentType } from "#mesh/runtime/telemetry/otlp-traces.ts";
import { type Span, SpanKind } from "#mesh/runtime/telemetry/span.ts";

/** Appends lines to the log of a process. */
export function floodLogs(dataDir: string, process: string, lines: number): void {
  const text = Array.from(
    { length: lines },
    (_, index) =>
      `${JSON.stringify({ level: 30, time: Date.now(), service: process, msg: `line ${index} of a flood`, number: index })}\n`,
  );
  appendFileSync(join(dataDir, "logs", `${process}.log`), text.join(""));
}

/** Sends traces, as an exporter does: about a thousand spans at once. @param spansPerTrace a root and statements below it */
export async function floodTraces(baseUrl: string, traces: number, spansPerTrace = 2): Promise<void> {
  const atOnce = Math.max(1, Math.floor(1_000 / spansPerTrace));
  for (let sent = 0; sent < traces; sent += atOnce) {
    const spans = Array.from({ length: Math.min(atOnce, traces - sent) }, () => trace(spansPerTrace)).flat();
    const response = await fetch(`${baseUrl}/v1/traces`, {
      method: "POST",
      headers: { "content-type": otlpContentType },
      body: encodeTraces({ "service.name": "flood" }, spans) as Uint8Array<ArrayBuffer>,
    });
    if (!response.ok) throw new Error(`spans were refused: ${response.status} ${await response.text()}`);
  }
}

const root = { name: "GET /flood", kind: SpanKind.server, attributes: { "rpc.method": "Flood" } };
const inner = {
  name: "SELECT flood",
  kind: SpanKind.client,
  attributes: { "db.system.name": "postgresql", "db.namespace": "flood", "db.query.summary": "SELECT flood" },
};

function trace(spans: number): Span[] {
  const traceId = randomBytes(16).toString("hex");
  const id = () => randomBytes(8).toString("hex");
  const rootId = id();
  const began = Date.now() - 5;
  const shared = {
    traceId,
    parentIsRemote: false,
    more: undefined,
    error: undefined,
    requestId: "",
    sampled: true,
  };
  return Array.from({ length: spans }, (_, index) =>
    index === 0
      ? { ...shared, type: root, spanId: rootId, parentSpanId: "", startedAt: began, endedAt: began + 5 }
      : {
          ...shared,
          type: inner,
          spanId: id(),
          parentSpanId: rootId,
          startedAt: began + 1,
          endedAt: began + 3,
        },
  );
}
