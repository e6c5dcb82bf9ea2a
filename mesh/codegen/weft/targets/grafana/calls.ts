/** Dashboards about calls: by service, by RPC, and the mesh as a whole. */
import type { Contract } from "../../contract/model.ts";
import { labels, metrics, SERVER_FAULTS } from "../metrics.ts";
import { dashboard, type Panel } from "./dashboard.ts";

const { serverCalls, clientCalls } = metrics;
const faults = `${labels.code}=~"${SERVER_FAULTS.join("|")}"`;

export function servicesDashboard({ services }: Contract): string {
  const variables = [{ name: "service", label: "Service", values: services.map(({ name }) => name) }];
  const panels = redPanels("job", 'job=~"$service"');
  return dashboard(
    "weft-services",
    "Services",
    "Rate, errors and duration of each service's calls.",
    variables,
    panels,
  );
}

export function rpcDashboard({ services }: Contract): string {
  const methods = services.flatMap(({ methods: all }) =>
    all.filter(({ shared }) => !shared).map(({ path }) => path.slice(1)),
  );
  const variables = [{ name: "rpc", label: "RPC", values: methods }];
  const selector = `${labels.method}=~"$rpc"`;
  const panels: Panel[] = [
    ...redPanels(labels.method, selector),
    {
      title: "Calls by status",
      unit: "reqps",
      description: "Each status code; refusals of the caller's mistakes included.",
      queries: [
        [
          `sum by (${labels.code}) (rate(${serverCalls}_count{${selector}}[$__rate_interval]))`,
          `{{${labels.code}}}`,
        ],
      ],
    },
    {
      title: "Error budget: bad share",
      unit: "percentunit",
      description:
        "Share of calls that failed or were slower than the objective; the alerts look at the same series.",
      queries: [[`{__name__=~"rpc:slo_bad:ratio_rate.*",${selector}}`, `{{${labels.method}}} {{__name__}}`]],
    },
  ];
  return dashboard(
    "weft-rpc",
    "RPCs",
    "Rate, errors, duration and objective of each RPC.",
    variables,
    panels,
  );
}

export function meshDashboard(): string {
  const panels: Panel[] = [
    {
      title: "Who calls what",
      unit: "reqps",
      width: 24,
      description: "Calls as their callers count them.",
      queries: [
        [
          `sum by (job, ${labels.method}) (rate(${clientCalls}_count[$__rate_interval]))`,
          `{{job}} → {{${labels.method}}}`,
        ],
      ],
    },
    {
      title: "Calls that failed",
      unit: "reqps",
      description: "By caller and method, as their callers see it: also what never arrived.",
      queries: [
        [
          `sum by (job, ${labels.method}) (rate(${clientCalls}_count{${faults}}[$__rate_interval]))`,
          `{{job}} → {{${labels.method}}}`,
        ],
      ],
    },
    {
      title: "Time between caller and callee",
      unit: "s",
      description: "Median of what callers wait, less the median of what callees work.",
      queries: [
        [
          `histogram_quantile(0.5, sum by (le, ${labels.method}) (rate(${clientCalls}_bucket[$__rate_interval]))) - histogram_quantile(0.5, sum by (le, ${labels.method}) (rate(${serverCalls}_bucket[$__rate_interval])))`,
          `{{${labels.method}}}`,
        ],
      ],
    },
  ];
  return dashboard("weft-mesh", "Mesh", "Calls between services, as their callers see them.", [], panels);
}

function redPanels(by: string, selector: string): Panel[] {
  const rate = (more = "") =>
    `sum by (${by}) (rate(${serverCalls}_count{${selector}${more}}[$__rate_interval]))`;
  const quantile = (share: number) =>
    `histogram_quantile(${share}, sum by (le, ${by}) (rate(${serverCalls}_bucket{${selector}}[$__rate_interval])))`;
  return [
    { title: "Calls", unit: "reqps", description: "Calls per second.", queries: [[rate(), `{{${by}}}`]] },
    {
      title: "Failed share",
      unit: "percentunit",
      description: "Calls that failed by the server's fault.",
      queries: [[`${rate(`,${faults}`)} / ${rate()}`, `{{${by}}}`]],
    },
    {
      title: "Duration",
      unit: "s",
      description: "Median and 99th percentile.",
      queries: [
        [quantile(0.5), `{{${by}}} p50`],
        [quantile(0.99), `{{${by}}} p99`],
      ],
    },
  ];
}
