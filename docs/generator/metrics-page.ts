/** Every instrument that a source makes, by the name that Prometheus sees. */
import { RequestMetrics } from "../../edge/policies/request-metrics.ts";
import { MeshService } from "../../gen/ts/weft/mesh/v1/mesh_pb.ts";
import { CallMetrics } from "../../mesh/runtime/telemetry/call-metrics.ts";
import { code, table } from "./markdown.ts";
import { sourcesIn, textOf } from "./sources.ts";

export interface Instrument {
  readonly name: string;
  readonly kind: "counter" | "gauge" | "histogram";
  readonly description: string;
  readonly source: string;
}

export function metricsPage(): string {
  const rows = instruments().map(({ name, kind, description, source }) => [
    code(name),
    kind,
    description,
    `[${source}](../../${source})`,
  ]);
  return [
    "# Metrics",
    "`GET /metrics` of each process, in Prometheus' text format. Labels and what they mean: [telemetry](../../mesh/runtime/telemetry/README.md).",
    table(["Name", "Kind", "What", "Made in"], rows),
  ].join("\n\n");
}

export function instruments(): Instrument[] {
  return [
    ...["mesh/runtime", "edge", "services"].flatMap(sourcesIn).flatMap(instrumentsIn),
    ...histograms(),
  ].sort((a, b) => a.name.localeCompare(b.name));
}

/** What sources ask a meter for, or make with a short form of their own. */
function instrumentsIn(source: string): Instrument[] {
  const text = textOf(source);
  const made = text.matchAll(
    /create(?:Observable)?(Counter|Gauge)\(\s*["`]([\w.${}-]+)["`],\s*\{\s*description:\s*["`]([^"`]+)["`]/g,
  );
  const short = text.matchAll(/\b(gauge)\(\s*"([\w.]+)",\s*"([^"]+)"/g);
  return [...made, ...short].map(([, kind = "", name = "", description = ""]): Instrument => {
    const simple = kind === "Counter" ? "counter" : "gauge";
    const plain = description.replaceAll(/\$\{\w+\}/g, "NAME");
    return { name: prometheusName(name, simple), kind: simple, description: plain, source };
  });
}

/** Histograms write their text themselves, once something is recorded. */
function histograms(): Instrument[] {
  const [server, client, requests] = [
    new CallMetrics("server"),
    new CallMetrics("client"),
    new RequestMetrics(),
  ];
  for (const metrics of [server, client])
    metrics.of(Object.values(MeshService.method)[0]!).record("NAME", 0, false, 1);
  requests.ofPages("GET").record(200, 1);
  const calls = "mesh/runtime/telemetry/call-metrics.ts";
  return [
    [server.text(), calls],
    [client.text(), calls],
    [requests.text(), "edge/policies/request-metrics.ts"],
  ].map(([text = "", source = ""]): Instrument => {
    const [, name = "", description = ""] = /^# HELP (\S+) (.*)$/m.exec(text) ?? [];
    return { name, kind: "histogram", description, source };
  });
}

/** The exporter's rule: other characters become underscores, counters end in _total. */
function prometheusName(name: string, kind: Instrument["kind"]): string {
  const flat = name.replaceAll(/\$\{\w+\}/g, "NAME").replaceAll(".", "_");
  return kind === "counter" ? `${flat}_total` : flat;
}
