/** Who calls whom and who reads whose events: all that the contract allows, and the traffic there is. */
import { call } from "../api.js";
import { count, ms, percent, rate, shortMethod, words } from "../format.js";
import { badge, breakerBadge, empty, failure, stateBadge, toneOf } from "../parts/badges.js";
import { panel } from "../parts/panel.js";
import { table } from "../parts/table.js";
import { el } from "../render.js";
import { linkTo } from "../router.js";
import { layOut } from "./topology-layout.js";
import { toneOfEdge, topologyMap } from "./topology-map.js";

export function openTopology(app, place) {
  const [chosen] = place.path;
  let topology;
  let layout;
  let laidOut = "";
  let problem;
  load();

  async function load() {
    try {
      topology = await call("GetTopology");
      problem = undefined;
    } catch (error) {
      problem = error;
    }
    app.redraw();
  }

  /** Edges of the contract and those that were only seen, with the traffic of now. */
  function edgesNow() {
    const live = new Map((app.tick?.edges ?? []).map((edge) => [edge.id, edge]));
    const planned = topology.edges.map((edge) => {
      const { traffic, breaker, mtls, parts = [] } = live.get(edge.id) ?? {};
      // Seen once, it stays known while nobody calls.
      edge.mtls = mtls ?? (traffic ? false : edge.mtls);
      const busy = new Map(parts.map((part) => [part.name, part]));
      const all = [
        ...(edge.parts ?? []).map((part) => busy.get(part.name) ?? { name: part.name }),
        ...parts.filter(({ name }) => !edge.parts?.some((part) => part.name === name)),
      ];
      return { ...edge, traffic, breaker: breaker ?? edge.breaker, parts: all };
    });
    const known = new Set(planned.map(({ id }) => id));
    return [...planned, ...[...live.values()].filter(({ id }) => !known.has(id))];
  }

  function lay(edges) {
    const names = topology.nodes.map(({ name }) => name);
    const graph = JSON.stringify([names, edges.map(({ id }) => id)]);
    if (graph !== laidOut) layout = layOut(names, edges);
    laidOut = graph;
    return layout;
  }

  const processesOf = (node) =>
    (app.tick?.processes ?? []).filter(({ nodes = [], kind }) => nodes.includes(node) && kind !== "SERVER");

  const figures = [
    { head: "Rate", cell: ({ traffic }) => (traffic ? rate(traffic.rate ?? 0) : "no samples"), number: true },
    { head: "Success", cell: ({ traffic }) => percent(traffic && (traffic.success ?? 0)), number: true },
    { head: "p50", cell: ({ traffic }) => ms(traffic?.p50Ms), number: true },
    { head: "p95", cell: ({ traffic }) => ms(traffic?.p95Ms), number: true },
    { head: "p99", cell: ({ traffic }) => ms(traffic?.p99Ms), number: true },
    { head: "Waiting", cell: ({ traffic }) => count(traffic?.lag), number: true },
  ];

  const list = (edges) =>
    table({
      label: "Calls and events",
      of: edges.filter(({ id, from, to }) => chosen === undefined || [id, from, to].includes(chosen)),
      key: ({ id }) => id,
      rowOf: (edge) => ({ "data-row-edge": edge.id, "data-tone": toneOfEdge(edge) }),
      columns: [
        {
          head: "From",
          heading: true,
          cell: ({ id, from }) => el("a", { href: linkTo("topology", [id]), "data-row": "" }, from),
        },
        { head: "To", cell: ({ to }) => to },
        {
          head: "What",
          cell: ({ kind, inContract }) => [words(kind), !inContract && badge("not in the contract", "bad")],
        },
        ...figures,
        { head: "Breaker", cell: ({ breaker }) => breakerBadge(breaker) ?? "–" },
        { head: "mTLS", cell: ({ mtls }) => (mtls ? badge("mTLS", "good") : "–") },
      ],
    });

  function detail(edges) {
    const edge = edges.find(({ id }) => id === chosen);
    const node = topology.nodes.find(({ name }) => name === chosen);
    if (edge?.parts?.length > 0)
      return panel(
        edge.kind === "EVENTS"
          ? `Events from ${edge.from} to ${edge.to}`
          : `Methods of ${edge.to} that ${edge.from} may call`,
        undefined,
        table({
          label: "Parts",
          of: edge.parts,
          key: ({ name }) => name,
          columns: [
            {
              head: "Name",
              heading: true,
              cell: ({ name }) => el("span", { class: "mono", title: name }, shortMethod(name)),
            },
            ...figures,
            {
              head: "Answers",
              cell: ({ traffic }) =>
                Object.entries(traffic?.codes ?? {}).map(([code, number]) => [
                  badge(`${code} ${count(number)}`, code === "OK" ? "good" : "warn"),
                  " ",
                ]),
            },
            { head: "Breaker", cell: ({ breaker }) => breakerBadge(breaker) ?? "–" },
          ],
        }),
      );
    if (!node) return undefined;
    return panel(
      node.name,
      undefined,
      el(
        "div",
        { class: "panel-body detail" },
        el("p", null, node.about),
        processesOf(node.name).map(({ name, ...process }) =>
          el(
            "p",
            { key: name },
            el("a", { href: linkTo("services", [name]) }, name),
            " ",
            stateBadge(process),
          ),
        ),
      ),
    );
  }

  const legend = () =>
    el(
      "ul",
      { class: "legend" },
      el("li", { class: "calm" }, "allowed, no traffic"),
      el("li", { class: "good" }, "all well"),
      el("li", { class: "warn" }, "some fail, or events wait"),
      el("li", { class: "bad" }, "over 5 % fail, or the breaker is open"),
      el("li", { class: "dashed" }, "events"),
      (app.tick?.processes ?? [])
        .filter(({ kind }) => kind === "SERVER")
        .map(({ name, ...process }) =>
          el(
            "li",
            { key: name, class: "server" },
            el("a", { href: linkTo("services", [name]) }, badge(name, `${toneOf(process)} dot`)),
          ),
        ),
    );

  return {
    title: chosen ? `${chosen} · Topology` : "Topology",
    draw() {
      if (!topology) return [el("h1", null, "Topology"), failure(problem), empty("Loading")];
      const edges = edgesNow();
      return [
        el(
          "div",
          { class: "head" },
          el("h1", null, "Topology"),
          el("span", { class: "muted" }, "traffic of the last 10 seconds"),
          chosen && el("div", { class: "actions" }, el("a", { href: linkTo("topology") }, "Show all")),
        ),
        el(
          "div",
          { class: "panel" },
          topologyMap({ nodes: topology.nodes, edges, layout: lay(edges), chosen, processesOf }),
          legend(),
        ),
        detail(edges),
        panel("As a table", undefined, list(edges)),
      ];
    },
  };
}
