/** Grafana's dashboard model, as far as ours need it (grafana.com/docs: dashboard JSON model). */

export interface Panel {
  readonly title: string;
  readonly unit: string;
  /** PromQL and the legend of its series. */
  readonly queries: readonly (readonly [expr: string, legend: string])[];
  /** Columns of 24; 12 if left out. */
  readonly width?: number;
  readonly description: string;
}

export interface Variable {
  readonly name: string;
  readonly label: string;
  readonly values: readonly string[];
}

const HEIGHT = 8;
// biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of Grafana's
const DATASOURCE = { type: "prometheus", uid: "${datasource}" };

/** @param uid stable, so that links to the dashboard outlive its next version */
export function dashboard(
  uid: string,
  title: string,
  description: string,
  variables: readonly Variable[],
  panels: readonly Panel[],
): string {
  const value = {
    uid,
    title,
    description,
    tags: ["weft", "generated"],
    schemaVersion: 39,
    version: 1,
    editable: false,
    refresh: "30s",
    time: { from: "now-1h", to: "now" },
    timezone: "utc",
    templating: { list: [datasourceVariable, ...variables.map(listVariable)] },
    annotations: { list: [] },
    panels: placed(panels),
  };
  return `${JSON.stringify(value, null, 2)}\n`;
}

const datasourceVariable = {
  name: "datasource",
  label: "Data source",
  type: "datasource",
  query: "prometheus",
  hide: 0,
  refresh: 1,
};

function listVariable({ name, label, values }: Variable): object {
  const all = { text: "All", value: "$__all", selected: true };
  return {
    name,
    label,
    type: "custom",
    query: values.join(","),
    multi: true,
    includeAll: true,
    current: all,
    options: [all, ...values.map((value) => ({ text: value, value, selected: false }))],
    hide: 0,
  };
}

function placed(panels: readonly Panel[]): object[] {
  let [x, y] = [0, 0];
  return panels.map((panel, index) => {
    const width = panel.width ?? 12;
    if (x + width > 24) [x, y] = [0, y + HEIGHT];
    const gridPos = { h: HEIGHT, w: width, x, y };
    x += width;
    return {
      id: index + 1,
      type: "timeseries",
      title: panel.title,
      description: panel.description,
      datasource: DATASOURCE,
      gridPos,
      fieldConfig: {
        defaults: { unit: panel.unit, min: 0, custom: { fillOpacity: 10, showPoints: "never" } },
        overrides: [],
      },
      options: {
        legend: { displayMode: "list", placement: "bottom", showLegend: true },
        tooltip: { mode: "multi", sort: "desc" },
      },
      targets: panel.queries.map(([expr, legendFormat], query) => ({
        refId: String.fromCharCode(65 + query),
        datasource: DATASOURCE,
        expr,
        legendFormat,
      })),
    };
  });
}
