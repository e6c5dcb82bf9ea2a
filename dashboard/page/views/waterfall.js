/** Spans one below the other, each where it was in time. */
import { count, ms, shortMethod } from "../format.js";
import { badge } from "../parts/badges.js";
import { colorOf } from "../parts/service-color.js";
import { el } from "../render.js";

/** Deepest indentation: what is deeper stands there too. */
const deepest = 16;
/** Where a bar ends further right than this share, its length stands before it. */
const lateShare = 0.78;

/** @param {object} trace weft.dashboard.v1.Trace @param {(spanId: string) => void} choose */
export function waterfall({ summary = {}, spans = [], spansDropped }, chosen, choose) {
  const total = Math.max(summary.durationMs ?? 0, 0.001);
  const marks = [0, 0.25, 0.5, 0.75].map((share) =>
    el("span", { style: { left: `${share * 100}%` } }, ms(total * share)),
  );
  return el(
    "section",
    { class: "panel waterfall", "aria-label": "Spans" },
    el(
      "div",
      { class: "scale", "aria-hidden": "true" },
      el("span", null),
      el("span", { class: "marks" }, marks),
    ),
    el(
      "ol",
      { "data-rows": "" },
      spans.map((span) => el("li", { key: span.spanId }, row(span, { total, chosen, choose }))),
    ),
    Number(spansDropped ?? 0) > 0 &&
      el("p", { class: "panel-body muted" }, `${count(spansDropped)} more spans came and were not kept.`),
  );
}

function row(span, { total, chosen, choose }) {
  const { spanId, name, service, kind, status } = span;
  return el(
    "button",
    {
      type: "button",
      class: `span ${status === "FAILED" ? "bad" : ""}`,
      "aria-pressed": String(chosen === spanId),
      "data-row": "",
      "data-span": name,
      "data-service": service,
      "data-kind": kind,
      on: { click: () => choose(spanId) },
    },
    nameOf(span),
    barOf(span, total),
  );
}

const nameOf = ({ depth = 0, name, service, status, orphan }) =>
  el(
    "span",
    { class: "span-name", style: { "padding-left": `${Math.min(depth, deepest) * 14}px` } },
    el("span", { class: "swatch", style: { background: colorOf(service) }, "aria-hidden": "true" }),
    el("span", { class: "service" }, service),
    el("span", { class: "what" }, shortMethod(name)),
    status === "FAILED" && badge("failed", "bad"),
    orphan && badge("parent missing", "warn"),
  );

function barOf({ service, offsetMs = 0, durationMs = 0, status, events = [] }, total) {
  const percent = (share) => `${share * 100}%`;
  const left = offsetMs / total;
  const width = Math.min(Math.max(0.0025, durationMs / total), 1 - left);
  const isLate = left + width > lateShare;
  return el(
    "span",
    { class: "span-bar" },
    el("span", {
      class: "bar",
      style: {
        left: percent(left),
        width: percent(width),
        background: status === "FAILED" ? "var(--bad)" : colorOf(service),
      },
    }),
    events.map((event, index) =>
      el("span", {
        key: index,
        class: "tick",
        title: event.name,
        style: { left: percent(Math.min(0.996, (event.offsetMs ?? 0) / total)) },
      }),
    ),
    el(
      "span",
      { class: "length", style: isLate ? { right: percent(1 - left) } : { left: percent(left + width) } },
      ms(durationMs),
    ),
  );
}
