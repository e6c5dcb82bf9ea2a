/** Dashboard about what runs: the way in, and what each process uses and waits for. */
import { type Contract, EDGE } from "../../contract/model.ts";
import { metrics } from "../metrics.ts";
import { dashboard, type Panel } from "./dashboard.ts";

const chosen = 'job=~"$process"';

export function processesDashboard({ services }: Contract): string {
  const values = [...services.map(({ name }) => name), EDGE].sort();
  const variables = [{ name: "process", label: "Process", values }];
  return dashboard(
    "weft-processes",
    "Processes",
    "The way in, and what each process uses and waits for.",
    variables,
    [...edgePanels, ...processPanels],
  );
}

const route = "http_request_method, http_route";
const edgePanels: Panel[] = [
  {
    title: "Requests from outside",
    unit: "reqps",
    description: "By method and route; without a route: pages, and what nobody serves.",
    queries: [
      [
        `sum by (${route}) (rate(${metrics.edgeRequests}_count[$__rate_interval]))`,
        "{{http_request_method}} {{http_route}}",
      ],
    ],
  },
  {
    title: "Answers by status",
    unit: "reqps",
    description: "HTTP status of what the edge answers.",
    queries: [
      [
        `sum by (http_response_status_code) (rate(${metrics.edgeRequests}_count[$__rate_interval]))`,
        "{{http_response_status_code}}",
      ],
    ],
  },
  {
    title: "Duration from outside",
    unit: "s",
    description: "99th percentile by route.",
    queries: [
      [
        `histogram_quantile(0.99, sum by (le, ${route}) (rate(${metrics.edgeRequests}_bucket[$__rate_interval])))`,
        "{{http_request_method}} {{http_route}}",
      ],
    ],
  },
  {
    title: "Breakers that are not closed",
    unit: "short",
    description: "1: one call on trial; 2: open. By who calls and what is called.",
    queries: [
      [`max by (job, upstream, method) (${metrics.breakerState}) > 0`, "{{job}} → {{upstream}} {{method}}"],
    ],
  },
];

const processPanels: Panel[] = [
  {
    title: "CPU",
    unit: "percentunit",
    description: "Cores in use, by process and instance.",
    queries: [
      [
        `sum by (job, instance) (rate(${metrics.cpuSeconds}{${chosen}}[$__rate_interval]))`,
        "{{job}} {{instance}}",
      ],
    ],
  },
  {
    title: "Memory",
    unit: "bytes",
    description: "Resident memory.",
    queries: [[`max by (job, instance) (${metrics.memoryBytes}{${chosen}})`, "{{job}} {{instance}}"]],
  },
  {
    title: "Lateness of the event loop",
    unit: "s",
    description: "99th percentile of ten seconds: what every call waits on top.",
    queries: [[`max by (job, instance) (${metrics.eventLoopDelay}{${chosen}})`, "{{job}} {{instance}}"]],
  },
  {
    title: "Event loop in use",
    unit: "percentunit",
    description: "Share of ten seconds; near one a process can take no more.",
    queries: [[`max by (job, instance) (${metrics.eventLoopBusy}{${chosen}})`, "{{job}} {{instance}}"]],
  },
  {
    title: "Connections to the database",
    unit: "short",
    description: "In use, and who waits for one.",
    queries: [
      [
        `sum by (job) (${metrics.poolConnections}{${chosen},db_client_connection_state="used"})`,
        "{{job}} used",
      ],
      [`sum by (job) (${metrics.poolWaiting}{${chosen}})`, "{{job}} waiting"],
    ],
  },
  {
    title: "Spans that were lost",
    unit: "ops",
    description: "Dropped because too many waited, or refused by the collector.",
    queries: [
      [
        `sum by (job, outcome) (rate(${metrics.spans}{${chosen},outcome!="exported"}[$__rate_interval]))`,
        "{{job}} {{outcome}}",
      ],
    ],
  },
];
