/** What came of a call, message by message. */
import { ms } from "../format.js";
import { badge, failure } from "../parts/badges.js";
import { jsonText } from "../parts/json-text.js";
import { facts, panel } from "../parts/panel.js";
import { el } from "../render.js";
import { linkTo } from "../router.js";

/** Newest messages that are shown of a long stream. */
const mostShown = 200;

/** @param {{ begun?: object, messages: object[], end?: object, problem?: Error } | undefined} result */
export function callResult(result, isRunning) {
  if (!result) return undefined;
  const { begun, messages, end, problem } = result;
  const hidden = Math.max(0, messages.length - mostShown);
  return panel(
    "Answer",
    [
      end
        ? badge(end.code || "OK", (end.code || "OK") === "OK" ? "good" : "bad", {
            "data-code": end.code || "OK",
          })
        : isRunning && badge("running", "warn"),
      end && el("span", null, ms(end.durationMs ?? 0)),
      begun?.traceId && el("a", { href: linkTo("traces", [begun.traceId]) }, "its trace"),
      begun?.target && el("span", { class: "muted mono" }, begun.target),
    ],
    el(
      "div",
      { class: "panel-body detail", role: "region", "aria-label": "Answer" },
      failure(problem),
      end?.message && failure(new Error(end.message)),
      hidden > 0 && el("p", { class: "muted" }, `${hidden} earlier messages are not shown`),
      messages
        .slice(hidden)
        .map(({ number, json, atMs }) =>
          el(
            "div",
            { key: number, "data-message": number },
            messages.length > 1 && el("p", { class: "muted" }, `message ${number} after ${ms(atMs ?? 0)}`),
            jsonText(json, `Message ${number}`),
          ),
        ),
      (end?.details ?? []).map((detail, index) =>
        el("div", { key: `detail ${index}` }, jsonText(detail, "Detail of the status")),
      ),
      end &&
        Object.keys({ ...end.headers, ...end.trailers }).length > 0 &&
        el(
          "details",
          null,
          el("summary", null, "Headers and trailers"),
          facts(Object.entries({ ...end.headers, ...end.trailers })),
        ),
    ),
  );
}
