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

/** Sends traces of two spans each, as an exporter does: a thousand spans at once. */
export async function floodTraces(baseUrl: string, traces: number): Promise<void> {
  const root = { name: "GET /flood", kind: SpanKind.server, attributes: { "rpc.method": "Flood" } };
  const inner = { name: "query", kind: SpanKind.client, attributes: { "db.system.name": "postgresql" } };
  const shared = { parentIsRemote: false, more: undefined, error: undefined, requestId: "", sampled: true };
  for (let sent = 0; sent < traces; sent += 500) {
    const spans = Array.from({ length: Math.min(500, traces - sent) }, (): Span[] => {
      const traceId = randomBytes(16).toString("hex");
      const [spanId, childId] = [randomBytes(8).toString("hex"), randomBytes(8).toString("hex")];
      const startedAt = Date.now() - 5;
      return [
        { ...shared, type: root, traceId, spanId, parentSpanId: "", startedAt, endedAt: startedAt + 5 },
        {
          ...shared,
          type: inner,
          traceId,
          spanId: childId,
          parentSpanId: spanId,
          startedAt: startedAt + 1,
          endedAt: startedAt + 3,
        },
      ];
    }).flat();
    const response = await fetch(`${baseUrl}/v1/traces`, {
      method: "POST",
      headers: { "content-type": otlpContentType },
      body: encodeTraces({ "service.name": "flood" }, spans) as Uint8Array<ArrayBuffer>,
    });
    if (!response.ok) throw new Error(`spans were refused: ${response.status} ${await response.text()}`);
  }
}
