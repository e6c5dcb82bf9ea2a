/** Recording rules and alerts of one method. */
import type { MeshMethod } from "../../contract/model.ts";
import { labels } from "../metrics.ts";
import { type BurnWindow, burnWindows } from "./burn-windows.ts";
import { badShare, methodLabel } from "./objective.ts";

export const ALERTS = { page: "RpcErrorBudgetBurnsFast", ticket: "RpcErrorBudgetBurns" } as const;

export function ruleGroup(service: string, method: MeshMethod): object {
  const windows = burnWindows(method.policy.slo.windowMs);
  const lengths = [...new Set(windows.flatMap(({ long, short }) => [short, long]))];
  const own = { [labels.method]: methodLabel(method) };
  return {
    name: `slo:${methodLabel(method)}`,
    rules: [
      ...lengths.map((length) => ({
        record: recordOf(length),
        expr: badShare(method, length),
        labels: { service, ...own },
      })),
      alert("page", service, method, windows),
      alert("ticket", service, method, windows),
    ],
  };
}

function recordOf(window: string): string {
  return `rpc:slo_bad:ratio_rate${window}`;
}

function alert(
  severity: BurnWindow["severity"],
  service: string,
  method: MeshMethod,
  windows: readonly BurnWindow[],
): object {
  const { slo } = method.policy;
  const selector = `{${labels.method}="${methodLabel(method)}"}`;
  const budget = Number((1 - slo.availability).toPrecision(6));
  const burning = (window: string, factor: number) =>
    `${recordOf(window)}${selector} > ${Number((factor * budget).toPrecision(6))}`;
  const conditions = windows
    .filter((window) => window.severity === severity)
    .map(({ long, short, factor }) => `(${burning(long, factor)} and ${burning(short, factor)})`);
  return {
    alert: ALERTS[severity],
    expr: conditions.join(" or "),
    labels: { severity, service, [labels.method]: methodLabel(method) },
    annotations: annotationsOf(severity, method),
  };
}

export function annotationsOf(severity: BurnWindow["severity"], method: MeshMethod): Record<string, string> {
  const { slo } = method.policy;
  const percent = Number((slo.availability * 100).toPrecision(6));
  const pace = severity === "page" ? "within hours" : "within days";
  return {
    summary: `${methodLabel(method)} fails or is slow so often that its error budget is gone ${pace}`,
    description: `Objective: ${percent} % of calls good, within ${slo.latencyMs} ms, over ${slo.windowMs / 86_400_000} days.`,
  };
}
