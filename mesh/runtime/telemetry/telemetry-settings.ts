/**
 * Settings of the export of spans, by the names of OpenTelemetry's specification ("SDK environment variables",
 * "OTLP exporter configuration") where it has one. telemetry/README.md lists them.
 */

import { z } from "zod";
import { issuesOf } from "../config.ts";

/** Where spans go; times in milliseconds. */
export interface TelemetrySettings {
  /** URL that takes OTLP traces; undefined: nobody collects them. */
  readonly tracesUrl: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Share of the traces beginning here that are recorded, 0 to 1. */
  readonly ratio: number;
  readonly delayMs: number;
  readonly timeoutMs: number;
  readonly queueLimit: number;
  readonly batchLimit: number;
  /** What runs, by service.version. */
  readonly version: string;
  /** Tells processes of one service apart, by service.instance.id. */
  readonly instanceId: string;
  /** Of OTEL_RESOURCE_ATTRIBUTES. */
  readonly resource: Readonly<Record<string, string>>;
}

const defaultRatio = 0.01;

/** "a=1,b=2" with percent-encoded values (W3C Baggage, as the specification wants it). */
const pairs = z
  .string()
  .default("")
  .transform((text, context) => {
    const entries = text
      .split(",")
      .map((entry) => entry.trim())
      .filter(Boolean)
      .map((entry) => entry.split(/=(.*)/s).map((part) => part.trim()));
    try {
      if (entries.every(([name, value]) => name && value !== undefined))
        return Object.fromEntries(
          entries.map(([name, value]) => [name, decodeURIComponent(value as string)]),
        );
    } catch {} // not percent-encoded
    context.addIssue({ code: "custom", message: "must be NAME=VALUE,NAME=VALUE" });
    return z.NEVER;
  });

const url = z.url({ protocol: /^https?$/ }).optional();
const ratio = z.coerce.number().min(0).max(1).optional();
const count = (least: number, most: number) => z.coerce.number().int().min(least).max(most);

const schema = z.object({
  OTEL_SDK_DISABLED: z.string().optional(),
  WEFT_OTLP_ENDPOINT: url,
  OTEL_EXPORTER_OTLP_ENDPOINT: url,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: url,
  OTEL_EXPORTER_OTLP_PROTOCOL: z.literal("http/protobuf").default("http/protobuf"),
  OTEL_EXPORTER_OTLP_HEADERS: pairs,
  OTEL_EXPORTER_OTLP_TIMEOUT: count(1, 600_000).default(10_000),
  OTEL_BSP_SCHEDULE_DELAY: count(1, 600_000).default(1_000),
  OTEL_BSP_MAX_QUEUE_SIZE: count(1, 1_000_000).default(4_096),
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: count(1, 10_000).default(512),
  OTEL_RESOURCE_ATTRIBUTES: pairs,
  OTEL_TRACES_SAMPLER_ARG: ratio,
  WEFT_TRACE_RATIO: ratio,
  WEFT_VERSION: z.string().max(128).optional(),
  WEFT_INSTANCE: z.string().max(128).optional(),
});

/**
 * Parses the environment.
 * @throws Error naming every variable that is malformed, without its value
 */
export function readTelemetrySettings(env: NodeJS.ProcessEnv): TelemetrySettings {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const parsed = schema.safeParse(given);
  if (!parsed.success) throw new Error(`configuration: ${issuesOf(parsed.error)}`);
  const value = parsed.data;
  const base = value.WEFT_OTLP_ENDPOINT ?? value.OTEL_EXPORTER_OTLP_ENDPOINT;
  const tracesUrl =
    value.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? (base && `${base.replace(/\/$/, "")}/v1/traces`);
  const off = value.OTEL_SDK_DISABLED?.toLowerCase() === "true";
  return {
    tracesUrl: off ? undefined : tracesUrl,
    headers: value.OTEL_EXPORTER_OTLP_HEADERS,
    ratio: value.WEFT_TRACE_RATIO ?? value.OTEL_TRACES_SAMPLER_ARG ?? defaultRatio,
    delayMs: value.OTEL_BSP_SCHEDULE_DELAY,
    timeoutMs: value.OTEL_EXPORTER_OTLP_TIMEOUT,
    queueLimit: value.OTEL_BSP_MAX_QUEUE_SIZE,
    batchLimit: value.OTEL_BSP_MAX_EXPORT_BATCH_SIZE,
    version: value.WEFT_VERSION ?? "dev",
    instanceId: value.WEFT_INSTANCE ?? crypto.randomUUID(),
    resource: value.OTEL_RESOURCE_ATTRIBUTES,
  };
}
