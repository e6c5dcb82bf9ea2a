/** What promtool checks: the alerts of each method come in an outage, and only then. */
import type { MeshMethod, MeshService } from "../../contract/model.ts";
import { labels, metrics } from "../metrics.ts";
import { hasObjective, latencyBound, methodLabel } from "./objective.ts";
import { ALERTS, annotationsOf } from "./rules.ts";

/**
 * Two tests a service, with all of its methods at once: each test evaluates every rule of the file.
 * @param rules path of the rule file from the test file
 */
export function unitTests(service: MeshService, rules: string): object {
  const methods = service.methods.filter(hasObjective);
  return {
    rule_files: [rules],
    evaluation_interval: "1m",
    tests: [outage(service.name, methods), health(service.name, methods)],
  };
}

/** All calls fail. */
function outage(service: string, methods: readonly MeshMethod[]): object {
  const expected = (severity: "page" | "ticket") => ({
    eval_time: "30m",
    alertname: ALERTS[severity],
    exp_alerts: methods.map((method) => ({
      exp_labels: { severity, service, [labels.method]: methodLabel(method) },
      exp_annotations: annotationsOf(severity, method),
    })),
  });
  return {
    name: `${service}: an outage`,
    interval: "1m",
    input_series: methods.map((method) => series(method, "count", "UNAVAILABLE", "0+60x30")),
    alert_rule_test: [expected("page"), expected("ticket")],
  };
}

/** Calls that are refused for what they ask are no failures. */
function health(service: string, methods: readonly MeshMethod[]): object {
  const none = (severity: "page" | "ticket") => ({
    eval_time: "30m",
    alertname: ALERTS[severity],
    exp_alerts: [],
  });
  const good = (method: MeshMethod, code: string) => {
    const bound = latencyBound(method);
    const count = series(method, "count", code, "0+60x30");
    return bound === undefined ? [count] : [count, series(method, "bucket", code, "0+60x30", bound)];
  };
  return {
    name: `${service}: health`,
    interval: "1m",
    input_series: methods.flatMap((method) => [...good(method, "OK"), ...good(method, "NOT_FOUND")]),
    alert_rule_test: [none("page"), none("ticket")],
  };
}

function series(method: MeshMethod, suffix: string, code: string, values: string, le?: number): object {
  const selectors = [
    `${labels.method}="${methodLabel(method)}"`,
    `${labels.code}="${code}"`,
    ...(le === undefined ? [] : [`le="${le}"`]),
  ].join(",");
  return { series: `${metrics.serverCalls}_${suffix}{${selectors}}`, values };
}
