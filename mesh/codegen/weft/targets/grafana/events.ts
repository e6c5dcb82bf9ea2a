import type { Contract } from "../../contract/model.ts";
import { metrics } from "../metrics.ts";
import { dashboard } from "./dashboard.ts";

/** From outbox to reader: where events wait, and which were given up. */
export function eventsDashboard({ events }: Contract): string {
  const consumers = events.flatMap((event) => event.consumers.map(({ durable }) => durable)).sort();
  const variables = [{ name: "consumer", label: "Consumer", values: consumers }];
  const chosen = 'consumer=~"$consumer"';
  return dashboard("weft-events", "Events", "The way of events from outbox to reader.", variables, [
    {
      title: "Waiting in outboxes",
      unit: "short",
      description: "Events that are recorded and not yet published.",
      queries: [[`sum by (job) (${metrics.outboxUnpublished})`, "{{job}}"]],
    },
    {
      title: "Age of the oldest",
      unit: "s",
      description: "How long the oldest event has waited in its outbox.",
      queries: [[`max by (job) (${metrics.outboxOldestSeconds})`, "{{job}}"]],
    },
    {
      title: "Waiting for readers",
      unit: "short",
      description: "Events in streams that a consumer has not been given.",
      queries: [[`max by (consumer) (${metrics.consumerPending}{${chosen}})`, "{{consumer}}"]],
    },
    {
      title: "Deliveries",
      unit: "ops",
      description: "Deliveries per second and what came of them.",
      queries: [
        [
          `sum by (consumer, outcome) (rate(${metrics.consumerDeliveries}{${chosen}}[$__rate_interval]))`,
          "{{consumer}} {{outcome}}",
        ],
      ],
    },
    {
      title: "Dead letters",
      unit: "short",
      description: "Events that could not be handled: retrying, or open for an operator.",
      queries: [[`sum by (job, state) (${metrics.deadLetters})`, "{{job}} {{state}}"]],
    },
  ]);
}
