/** A log line as cells, and all that is known of one. */
import { exactTime, words } from "../format.js";
import { el } from "../render.js";
import { linkTo } from "../router.js";
import { jsonText } from "./json-text.js";
import { facts } from "./panel.js";

/** Longest message of a row, in characters. */
const mostShown = 400;
/** Fields that say nothing that the row does not say already. */
const known = new Set(["service", "pid", "hostname", "err"]);

export function logLine({ time, level = "", process, message = "", fields = {} }) {
  const more = Object.entries(fields).filter(
    ([name, value]) => !known.has(name) && typeof value !== "object",
  );
  return [
    el("time", { datetime: time }, exactTime(time)),
    el("span", { class: `level ${level}` }, words(level) || "–"),
    el("span", { class: "process" }, writerOf(process, fields.service)),
    el(
      "span",
      { class: "message" },
      message.slice(0, mostShown),
      more.map(([name, value]) => [
        " ",
        el("span", { class: "muted" }, `${name}=`),
        String(value).slice(0, 100),
      ]),
    ),
  ];
}

/** The one process of --single writes for several services; a replica's name tells more than its service. */
const writerOf = (process, service) => (service && !process.startsWith(service) ? String(service) : process);

export function logDetail({ time, level, process, message, traceId, spanId, requestId, fields }) {
  return el(
    "div",
    { class: "panel-body detail" },
    facts([
      ["Time", time],
      ["Level", words(level)],
      ["Process", el("a", { href: linkTo("services", [process]) }, process)],
      ["Trace", traceId && el("a", { class: "mono", href: linkTo("traces", [traceId]) }, traceId)],
      ["Span", spanId && el("span", { class: "mono" }, spanId)],
      [
        "Request",
        requestId && el("a", { class: "mono", href: linkTo("logs", [], { request: requestId }) }, requestId),
      ],
    ]),
    el("pre", { class: "source", tabindex: "0", role: "group", "aria-label": "Message" }, message),
    fields && Object.keys(fields).length > 0 && jsonText(fields, "Fields"),
  );
}
