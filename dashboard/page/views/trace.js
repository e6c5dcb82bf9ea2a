/** One trace: its spans as a waterfall, what is known of each, and the log lines that belong to it. */
import { call } from "../api.js";
import { count, exactTime, ms, shortMethod, words } from "../format.js";
import { badge, empty, failure } from "../parts/badges.js";
import { jsonText } from "../parts/json-text.js";
import { logLine } from "../parts/log-line.js";
import { facts, panel } from "../parts/panel.js";
import { colorOf } from "../parts/service-color.js";
import { el } from "../render.js";
import { linkTo } from "../router.js";

/** Spans come for a while after the first: the trace is asked for again until it has been quiet, in ticks. */
const quietTicks = 10;
const logLimit = 500;

export function openTrace(app, traceId, place) {
  let trace;
  let lines = [];
  let problem;
  let quiet = 0;
  let chosen = place.query.get("span") ?? "";
  load();

  async function load() {
    try {
      const [found, logs] = await Promise.all([
        call("GetTrace", { traceId }),
        call("ListLogs", { filter: { traceId }, limit: logLimit }),
      ]);
      quiet =
        found.spans?.length === trace?.spans?.length && (logs.lines ?? []).length === lines.length
          ? quiet + 1
          : 0;
      trace = found;
      lines = logs.lines ?? [];
      problem = undefined;
    } catch (error) {
      problem = error;
    }
    app.redraw();
  }

  const choose = (spanId) => {
    chosen = chosen === spanId ? "" : spanId;
    history.replaceState(null, "", linkTo("traces", [traceId], { span: chosen }));
    app.redraw();
  };

  function spanRow(span, total) {
    const {
      spanId,
      depth = 0,
      name,
      service,
      kind,
      offsetMs = 0,
      durationMs = 0,
      status,
      orphan,
      events = [],
    } = span;
    const isBad = status === "FAILED";
    const left = (offsetMs / total) * 100;
    const width = Math.max(0.25, (durationMs / total) * 100);
    const style = {
      left: `${left}%`,
      width: `${Math.min(width, 100 - left)}%`,
      background: isBad ? "var(--bad)" : colorOf(service),
    };
    return el(
      "li",
      { key: spanId },
      el(
        "button",
        {
          type: "button",
          class: `span ${isBad ? "bad" : ""}`,
          "aria-pressed": String(chosen === spanId),
          "data-row": "",
          "data-span": name,
          "data-service": service,
          "data-kind": kind,
          on: { click: () => choose(spanId) },
        },
        el(
          "span",
          { class: "span-name", style: { "padding-left": `${Math.min(depth, 16) * 14}px` } },
          el("span", { class: "swatch", style: { background: colorOf(service) }, "aria-hidden": "true" }),
          el("span", { class: "service" }, service),
          el("span", { class: "what" }, shortMethod(name)),
          isBad && badge("failed", "bad"),
          orphan && badge("parent missing", "warn"),
        ),
        el(
          "span",
          { class: "span-bar" },
          el("span", { class: "bar", style }),
          events.map((event, index) =>
            el("span", {
              key: index,
              class: "tick",
              title: event.name,
              style: { left: `${Math.min(99.6, ((event.offsetMs ?? 0) / total) * 100)}%` },
            }),
          ),
          el(
            "span",
            {
              class: `length ${left + width > 78 ? "before" : ""}`,
              style: left + width > 78 ? { right: `${100 - left}%` } : { left: `${left + width}%` },
            },
            ms(durationMs),
          ),
        ),
      ),
    );
  }

  function detail({
    name,
    service,
    kind,
    startedAt,
    durationMs,
    status,
    statusMessage,
    attributes,
    events = [],
    links = [],
    spanId,
  }) {
    return el(
      "aside",
      { class: "panel", "aria-label": "Span" },
      el(
        "div",
        { class: "panel-head" },
        el("h2", null, name),
        el("button", { type: "button", class: "small", on: { click: () => choose(spanId) } }, "Close"),
      ),
      el(
        "div",
        { class: "panel-body detail" },
        facts([
          ["Service", service],
          ["Kind", words(kind)],
          ["Began", exactTime(startedAt)],
          ["Took", ms(durationMs ?? 0)],
          ["Outcome", status === "FAILED" ? badge(statusMessage || "failed", "bad") : "fine"],
          ["Span id", el("span", { class: "mono" }, spanId)],
          [
            "Goes back to",
            links.length > 0 &&
              links.map((link) =>
                el("a", { class: "mono", href: linkTo("traces", [link.split("-")[0]]) }, link),
              ),
          ],
        ]),
        attributes && el("h3", null, "Attributes"),
        attributes &&
          facts(
            Object.entries(attributes)
              .sort()
              .map(([key, value]) => [
                key,
                el("span", { class: "mono" }, typeof value === "string" ? value : JSON.stringify(value)),
              ]),
          ),
        events.length > 0 && el("h3", null, "Meanwhile"),
        events.map((event, index) =>
          el(
            "div",
            { key: index },
            el("p", null, `${event.name} after ${ms(event.offsetMs ?? 0)}`),
            event.attributes && jsonText(event.attributes, event.name),
          ),
        ),
      ),
    );
  }

  function waterfall() {
    const { summary = {}, spans = [], spansDropped } = trace;
    const total = Math.max(summary.durationMs ?? 0, 0.001);
    const span = spans.find(({ spanId }) => spanId === chosen);
    const marks = [0, 0.25, 0.5, 0.75].map((share) =>
      el("span", { style: { left: `${share * 100}%` } }, ms(total * share)),
    );
    return el(
      "div",
      { class: `columns ${span ? "with-detail" : ""}` },
      el(
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
          spans.map((each) => spanRow(each, total)),
        ),
        Number(spansDropped ?? 0) > 0 &&
          el("p", { class: "panel-body muted" }, `${count(spansDropped)} more spans came and were not kept.`),
      ),
      span && detail(span),
    );
  }

  function summary() {
    const {
      startedAt,
      durationMs,
      spans,
      errors = 0,
      services = [],
      status,
      requestId,
    } = trace.summary ?? {};
    return el(
      "div",
      { class: "head" },
      badge(status || (errors > 0 ? "failed" : "ok"), errors > 0 ? "bad" : "good"),
      el("span", null, ms(durationMs ?? 0)),
      el("span", null, `${count(spans)} spans`),
      errors > 0 && badge(`${errors} failed`, "bad"),
      el("span", { class: "muted" }, exactTime(startedAt)),
      el(
        "span",
        { class: "services" },
        services.map((service) =>
          el(
            "span",
            { key: service },
            el("span", { class: "swatch", style: { background: colorOf(service) }, "aria-hidden": "true" }),
            service,
          ),
        ),
      ),
      requestId && el("span", { class: "muted mono" }, `request ${requestId}`),
    );
  }

  return {
    title: "Trace",
    tick() {
      if (quiet < quietTicks) load();
    },
    place(next) {
      chosen = next.query.get("span") ?? "";
    },
    draw: () => [
      el("p", null, el("a", { href: linkTo("traces") }, "All traces")),
      el(
        "div",
        { class: "head" },
        el("h1", null, shortMethod(trace?.summary?.name) || "Trace"),
        el("span", { class: "muted mono" }, traceId),
      ),
      failure(problem),
      trace && summary(),
      trace ? waterfall() : !problem && empty("Loading"),
      trace &&
        panel(
          "Log lines of this trace",
          el("a", { href: linkTo("logs", [], { trace: traceId }) }, "open in Logs"),
          lines.length === 0
            ? empty("No lines")
            : el(
                "ol",
                { class: "log-tail with-process" },
                lines.map((line) => el("li", { key: line.position }, logLine(line))),
              ),
        ),
    ],
  };
}
