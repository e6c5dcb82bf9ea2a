/** All that is known of one span. */
import { exactTime, ms, words } from "../format.js";
import { badge } from "../parts/badges.js";
import { button } from "../parts/controls.js";
import { jsonText } from "../parts/json-text.js";
import { facts } from "../parts/panel.js";
import { el } from "../render.js";
import { linkTo } from "../router.js";

/** @param {object} span weft.dashboard.v1.Span @param {() => void} close */
export function spanDetail(span, close) {
  const { name, service, kind, startedAt, durationMs, status, statusMessage, attributes, spanId } = span;
  const { events = [], links = [] } = span;
  const mono = (text) => el("span", { class: "mono" }, text);
  return el(
    "aside",
    { class: "panel", "aria-label": "Span" },
    el("div", { class: "panel-head" }, el("h2", null, name), button("Close", close, { class: "small" })),
    el(
      "div",
      { class: "panel-body detail" },
      facts([
        ["Service", service],
        ["Kind", words(kind)],
        ["Began", exactTime(startedAt)],
        ["Took", ms(durationMs ?? 0)],
        ["Outcome", status === "FAILED" ? badge(statusMessage || "failed", "bad") : "fine"],
        ["Span id", mono(spanId)],
        ["Goes back to", links.length > 0 && links.map(linkOf)],
      ]),
      attributes && el("h3", null, "Attributes"),
      attributes &&
        facts(
          Object.entries(attributes)
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, value]) => [key, mono(typeof value === "string" ? value : JSON.stringify(value))]),
        ),
      events.length > 0 && el("h3", null, "Meanwhile"),
      events.map(({ name: what, offsetMs, attributes: known }, index) =>
        el(
          "div",
          { key: index },
          el("p", null, `${what} after ${ms(offsetMs ?? 0)}`),
          known && jsonText(known, what),
        ),
      ),
    ),
  );
}

/** @param {string} link "TRACE_ID-SPAN_ID" */
function linkOf(link) {
  const [traceId, span] = link.split("-");
  return el("a", { key: link, class: "mono", href: linkTo("traces", [traceId], { span }) }, link);
}
