/** Events of one stream, newest first, each with its payload as the contract reads it. */
import { call } from "../api.js";
import { bytes, exactTime } from "../format.js";
import { empty, failure } from "../parts/badges.js";
import { jsonText } from "../parts/json-text.js";
import { facts, panel } from "../parts/panel.js";
import { el } from "../render.js";
import { linkTo } from "../router.js";

const page = 20;

/** A part of the view of events. */
export function streamEvents(app, stream) {
  let events;
  let nextBefore = 0;
  let problem;
  let seen;
  const open = new Set();
  load();

  async function load(before) {
    try {
      const reply = await call("ListEvents", { stream, limit: page, ...(before && { before }) });
      events = before ? [...events, ...(reply.events ?? [])] : (reply.events ?? []);
      nextBefore = Number(reply.nextBefore ?? 0);
      problem = undefined;
    } catch (error) {
      problem = error;
    }
    app.redraw();
  }

  function toggle(sequence) {
    if (!open.delete(sequence)) open.add(sequence);
    app.redraw();
  }

  function entry({
    sequence,
    subject,
    time,
    id,
    type,
    key,
    traceId,
    requestId,
    payload,
    payloadProblem,
    payloadBytes = 0,
  }) {
    const isOpen = open.has(sequence);
    return el(
      "li",
      { key: sequence, "data-event": type },
      el(
        "button",
        {
          type: "button",
          class: "event",
          "aria-expanded": String(isOpen),
          "data-row": "",
          on: { click: () => toggle(sequence) },
        },
        el("span", { class: "number muted" }, `#${sequence}`),
        el("time", { datetime: time, class: "muted" }, exactTime(time)),
        el("span", { class: "mono what" }, type || subject),
        el("span", { class: "mono muted key-of" }, key),
      ),
      isOpen &&
        el(
          "div",
          { class: "detail panel-body" },
          facts([
            ["Subject", el("span", { class: "mono" }, subject)],
            ["Id", el("span", { class: "mono" }, id)],
            ["Trace", traceId && el("a", { class: "mono", href: linkTo("traces", [traceId]) }, traceId)],
            ["Request", requestId && el("span", { class: "mono" }, requestId)],
            ["Size", bytes(payloadBytes)],
          ]),
          payloadProblem ? failure(payloadProblem) : jsonText(payload ?? {}, "Payload"),
        ),
    );
  }

  return {
    /** @param {string | undefined} last newest sequence of the stream */
    tick(last) {
      if (last === seen || last === undefined) return;
      const isFirst = seen === undefined;
      seen = last;
      // Whoever reads further down is not thrown back to the top.
      if (!isFirst && (events?.length ?? 0) <= page) load();
    },
    draw: () =>
      panel(
        `Events of ${stream}`,
        el("button", { type: "button", class: "small", on: { click: () => load() } }, "Newest"),
        failure(problem),
        !events
          ? empty("Loading")
          : events.length === 0
            ? empty("No events")
            : el("ol", { class: "events", "data-rows": "" }, events.map(entry)),
        nextBefore > 0 &&
          el(
            "p",
            { class: "panel-body" },
            el("button", { type: "button", on: { click: () => load(nextBefore) } }, "Older events"),
          ),
      ),
  };
}
