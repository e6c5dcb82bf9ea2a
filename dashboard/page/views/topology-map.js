/** The topology as a picture. Everything in it stands in the table below it too. */
import { ms, percent, rate, words } from "../format.js";
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
          isProven: isProven(node.name, edges),
          isFaded:
            chosen !== undefined &&
            chosen !== node.name &&
            !edges.some((edge) => isNear(edge) && [edge.from, edge.to].includes(node.name)),
        }),
      ),
      edges.map((edge) => label(edge, layout.lines.get(edge.id), isNear(edge))),
    ),
  );
}

/** Whether it and all who were seen to call it prove who they are by certificates. */
function isProven(node, edges) {
  const calls = edges.filter(({ to, kind }) => to === node && kind === "CALLS");
  return calls.some(({ mtls }) => mtls) && calls.every(({ mtls, traffic }) => mtls || !traffic);
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
  const { id, kind, traffic } = edge;
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
  );
}

/** Above all lines, so that none runs through it. */
function label(edge, drawing, isNear) {
  const { id, traffic } = edge;
  if (!drawing || !isNear) return undefined;
  const at = (dy) => ({ x: drawing.end.x - 11, y: drawing.end.y + dy });
  return [
    traffic && el("svg:text", { key: `label ${id}`, class: "label", ...at(-4) }, labelOf(edge)),
    troubleOf(edge) &&
      el("svg:text", { key: `trouble ${id}`, class: "label trouble", ...at(12) }, troubleOf(edge)),
  ];
}

function labelOf({ kind, traffic }) {
  const lag = Number(traffic.lag ?? 0);
  const parts = [rate(traffic.rate ?? 0)];
  if (traffic.p95Ms !== undefined) parts.push(`p95 ${ms(traffic.p95Ms)}`);
  if (kind === "EVENTS" && lag > 0) parts.push(`${lag} waiting`);
  return parts.join(" · ");
}

function troubleOf({ kind, traffic, breaker }) {
  const parts = [];
  if (kind === "CALLS" && traffic && (traffic.success ?? 0) < 0.999)
    parts.push(`${percent(traffic.success ?? 0)} good`);
  if (breaker === "OPEN" || breaker === "HALF_OPEN") parts.push(`breaker ${words(breaker)}`);
  return parts.join(" · ");
}

function box({ name, kind }, place, { chosen, processes, isProven: proven, isFaded }) {
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
    state &&
      el(
        "svg:text",
        { class: "state", x: place.x + nodeWidth / 2, y: middle + 14 },
        proven && tone === "good" ? `${state} · mTLS` : state,
      ),
  );
}
