/** The topology as a picture. Everything in it stands in the table below it too. */
import { ms, rate, words } from "../format.js";
import { toneOf, toneOfSuccess } from "../parts/badges.js";
import { el } from "../render.js";
import { linkTo } from "../router.js";
import { nodeWidth } from "./topology-layout.js";

/**
 * @param {{ nodes: object[], edges: object[], layout: object, chosen: string | undefined,
 *   processesOf: (node: string) => object[] }} picture
 */
export function topologyMap({ nodes, edges, layout, chosen, processesOf }) {
  const isNear = ({ id, from, to }) => chosen === undefined || [id, from, to].includes(chosen);
  return el(
    "div",
    { class: "scroll map", tabindex: "0", role: "region", "aria-label": "Map of who calls whom" },
    el(
      "svg:svg",
      {
        viewBox: `0 0 ${layout.width} ${layout.height}`,
        role: "group",
        "aria-label": "Map of who calls whom",
      },
      el(
        "svg:defs",
        null,
        ["calm", "good", "warn", "bad"].map((tone) =>
          el(
            "svg:marker",
            {
              id: `arrow-${tone}`,
              class: `arrow ${tone}`,
              viewBox: "0 0 8 8",
              refX: 7,
              refY: 4,
              markerWidth: 7,
              markerHeight: 7,
              orient: "auto",
              markerUnits: "userSpaceOnUse",
            },
            el("svg:path", { d: "M0 0L8 4L0 8z" }),
          ),
        ),
      ),
      edges.map((edge) => line(edge, layout.lines.get(edge.id), isNear(edge))),
      nodes.map((node) =>
        box(node, layout.nodes.get(node.name), {
          chosen,
          processes: processesOf(node.name),
          isFaded:
            chosen !== undefined &&
            chosen !== node.name &&
            !edges.some((edge) => isNear(edge) && [edge.from, edge.to].includes(node.name)),
        }),
      ),
    ),
  );
}

export function toneOfEdge({ traffic, breaker }) {
  if (breaker === "OPEN") return "bad";
  if (!traffic) return breaker === "HALF_OPEN" ? "warn" : "calm";
  return Number(traffic.count ?? 0) === 0 && Number(traffic.lag ?? 0) > 0
    ? "warn"
    : toneOfSuccess(traffic.success ?? 0);
}

function line(edge, drawing, isNear) {
  if (!drawing) return undefined;
  const { id, kind, traffic, breaker, mtls } = edge;
  const tone = toneOfEdge(edge);
  const width = traffic ? Math.min(5, 1.6 + Math.log10(1 + traffic.rate)) : 1.2;
  return el(
    "svg:a",
    {
      key: id,
      href: linkTo("topology", [id]),
      class: `edge ${tone} ${kind === "EVENTS" ? "events" : ""} ${isNear ? "" : "faded"}`,
      "aria-label": `${edge.from} to ${edge.to}, ${words(kind)}, ${traffic ? labelOf(edge) : "no samples"}`,
      "data-edge": id,
      "data-tone": tone,
    },
    el("svg:path", { class: "reach", d: drawing.path }),
    el("svg:path", {
      class: "stroke",
      d: drawing.path,
      "marker-end": `url(#arrow-${tone})`,
      style: { "stroke-width": width },
    }),
    traffic && el("svg:text", { class: "label", x: drawing.end.x - 12, y: drawing.end.y - 4 }, labelOf(edge)),
    breaker &&
      breaker !== "CLOSED" &&
      breaker !== "BREAKER_UNSPECIFIED" &&
      el(
        "svg:text",
        { class: "label breaker", x: drawing.end.x - 12, y: drawing.end.y + 12 },
        `breaker ${words(breaker)}`,
      ),
    mtls && lock(drawing.end),
  );
}

function labelOf({ kind, traffic }) {
  const lag = Number(traffic.lag ?? 0);
  const parts = [rate(traffic.rate ?? 0)];
  if (traffic.p95Ms !== undefined) parts.push(`p95 ${ms(traffic.p95Ms)}`);
  if (kind === "EVENTS" && lag > 0) parts.push(`${lag} waiting`);
  return parts.join(" · ");
}

/** Both sides prove who they are. */
const lock = ({ x, y }) =>
  el(
    "svg:g",
    { class: "lock", transform: `translate(${x - 1.5} ${y - 13})` },
    el("svg:title", null, "mTLS"),
    el("svg:path", { class: "sign", d: "M-5 3.5h6v5h-6zM-3.8 3.5v-1.6a1.8 1.8 0 0 1 3.6 0v1.6" }),
  );

function box({ name, kind }, place, { chosen, processes, isFaded }) {
  const worst =
    processes.find((process) => toneOf(process) === "bad") ??
    processes.find(({ state }) => state !== "READY") ??
    processes[0];
  const ready = processes.filter(({ state }) => state === "READY").length;
  const state = !worst
    ? ""
    : processes.length > 1
      ? `${ready} of ${processes.length} ready`
      : words(worst.state);
  const tone = worst ? toneOf(worst) : "calm";
  const middle = place.y + place.height / 2;
  return el(
    "svg:a",
    {
      key: name,
      href: linkTo("topology", chosen === name ? [] : [name]),
      class: `node ${tone} ${chosen === name ? "chosen" : ""} ${isFaded ? "faded" : ""} ${words(kind)}`,
      "aria-label": `${name}${state ? `, ${state}` : ""}`,
      "data-node": name,
      "data-tone": tone,
    },
    el("svg:rect", { x: place.x, y: place.y, width: nodeWidth, height: place.height, rx: 8 }),
    el("svg:text", { class: "name", x: place.x + nodeWidth / 2, y: middle + (state ? -3 : 5) }, name),
    state && el("svg:text", { class: "state", x: place.x + nodeWidth / 2, y: middle + 14 }, state),
  );
}
