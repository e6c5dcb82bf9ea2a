/** One trace: its spans as a waterfall, what is known of each, and the log lines that belong to it. */
import { call } from "../api.js";
import { count, exactTime, ms, shortMethod } from "../format.js";
import { empty, failure, outcomeBadges } from "../parts/badges.js";
import { logLine } from "../parts/log-line.js";
import { panel } from "../parts/panel.js";
import { colorOf } from "../parts/service-color.js";
import { el } from "../render.js";
import { linkTo } from "../router.js";
import { spanDetail } from "./span-detail.js";
import { waterfall } from "./waterfall.js";

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

  function spans() {
    const span = trace.spans?.find(({ spanId }) => spanId === chosen);
    return el(
      "div",
      { class: `columns ${span ? "with-detail" : ""}` },
      waterfall(trace, chosen, choose),
      span && spanDetail(span, () => choose(chosen)),
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
      outcomeBadges({ status, errors }),
      el("span", null, ms(durationMs ?? 0)),
      el("span", null, `${count(spans)} spans`),
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
      trace ? spans() : !problem && empty("Loading"),
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
