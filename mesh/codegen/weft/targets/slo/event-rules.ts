import type { Contract } from "../../contract/model.ts";
import { metrics } from "../metrics.ts";

/** Alerts about events, which have no caller to notice that they do not arrive; none without events. */
export function eventRules({ events }: Contract): object[] {
  if (events.length === 0) return [];
  const alert = (name: string, expr: string, wait: string, severity: string, summary: string) => ({
    alert: name,
    expr,
    for: wait,
    labels: { severity },
    annotations: { summary },
  });
  return [
    {
      name: "events",
      rules: [
        alert(
          "EventsDoNotLeave",
          `max by (job) (${metrics.outboxOldestSeconds}) > 60`,
          "2m",
          "page",
          "Events of {{ $labels.job }} have waited in its outbox for more than a minute",
        ),
        alert(
          "EventsAreNotRead",
          `max by (consumer) (${metrics.consumerPending}) > 1000`,
          "10m",
          "ticket",
          "More than 1,000 events wait for {{ $labels.consumer }}",
        ),
        alert(
          "EventsWereGivenUp",
          `sum by (job) (${metrics.deadLetters}{state="open"}) > 0`,
          "1m",
          "ticket",
          "{{ $labels.job }} has events that it could not handle: look at them, then replay or drop them",
        ),
      ],
    },
  ];
}
