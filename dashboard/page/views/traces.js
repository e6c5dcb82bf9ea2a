/** Traces: a list with a filter, and one trace as a waterfall (trace.js). */
import { count, exactTime, ms, shortMethod, timeOfDay } from "../format.js";
import { TraceList } from "../live/trace-list.js";
import { droppedMark, empty, failure, outcomeBadges } from "../parts/badges.js";
import { search, select } from "../parts/controls.js";
import { VirtualList } from "../parts/virtual-list.js";
import { el } from "../render.js";
import { linkTo, replaceQuery } from "../router.js";
import { openTrace } from "./trace.js";

const typingMs = 250;
const durations = [
  ["", "any time"],
  ["10", "10 ms"],
  ["100", "100 ms"],
  ["1000", "1 s"],
];
const fields = ["service", "method", "id", "min", "errors"];

export function openTraces(app, place) {
  if (place.path[0]) return openTrace(app, place.path[0], place);
  let filter = filterOf(place.query);
  let isPaused = false;
  let seen;
  let typing;
  let store;
  let slowest = 1;
  const list = new VirtualList({
    label: "Traces",
    rowHeight: 30,
    redraw: app.redraw,
    idOf: ({ traceId }) => traceId,
    classOf: () => "trace-row",
    row,
    open: ({ traceId }) => {
      location.hash = linkTo("traces", [traceId]);
    },
    onEnd: async () => {
      await store.older();
      app.redraw();
    },
  });
  start();

  async function start() {
    store?.end();
    const { service, method, id, min, errors } = filter;
    store = new TraceList({
      service,
      method,
      id,
      ...(errors && { errorsOnly: true }),
      ...(Number(min) > 0 && { minDurationMs: Number(min) }),
    });
    const mine = store;
    await mine.open();
    if (mine === store) app.redraw();
  }

  function change(part) {
    filter = { ...filter, ...part };
    clearTimeout(typing);
    typing = setTimeout(() => {
      replaceQuery(filter);
      start();
    }, typingMs);
    app.redraw();
  }

  function row({ startedAt, name, service, durationMs = 0, spans = 0, errors = 0, status, services = [] }) {
    return [
      el(
        "time",
        { datetime: startedAt, class: "muted" },
        timeOfDay(startedAt),
        el("span", { class: "wide" }, exactTime(startedAt).slice(timeOfDay(startedAt).length)),
      ),
      el("span", { class: "name" }, shortMethod(name)),
      el("span", { class: "number" }, ms(durationMs)),
      el(
        "span",
        { class: "wide bar-space", "aria-hidden": "true" },
        el("span", {
          class: `bar ${errors > 0 ? "bad" : ""}`,
          style: { width: `${Math.max(1, (durationMs / slowest) * 100)}%` },
        }),
      ),
      el("span", { class: "wide number muted" }, `${count(spans)} ${spans === 1 ? "span" : "spans"}`),
      el("span", { class: "outcome" }, outcomeBadges({ status, errors })),
      el("span", { class: "wide muted" }, services.length > 0 ? services.join(", ") : service),
    ];
  }

  function toolbar() {
    const services = [...new Set((app.tick?.processes ?? []).flatMap(({ nodes = [] }) => nodes))];
    const options =
      filter.service && !services.includes(filter.service) ? [...services, filter.service] : services;
    return el(
      "form",
      {
        class: "toolbar",
        role: "search",
        "aria-label": "Filter of traces",
        on: { submit: (event) => event.preventDefault() },
      },
      search("Name contains", filter.method, (method) => change({ method }), { main: true }),
      search("Trace, request or value of an attribute", filter.id, (id) => change({ id })),
      select("Service", filter.service, [["", "all"], ...options.map((name) => [name, name])], (service) =>
        change({ service }),
      ),
      select("At least", filter.min, durations, (min) => change({ min })),
      el(
        "label",
        { class: "check" },
        el("input", {
          type: "checkbox",
          checked: filter.errors === "1",
          on: { change: ({ target }) => change({ errors: target.checked ? "1" : "" }) },
        }),
        "failed only",
      ),
      el(
        "button",
        {
          type: "button",
          "aria-pressed": String(isPaused),
          on: {
            click: () => {
              isPaused = !isPaused;
              app.redraw();
            },
          },
        },
        isPaused ? "Paused" : "Pause",
      ),
    );
  }

  return {
    title: "Traces",
    async tick({ sequence, traces: { last } = {} }) {
      // A trace that has begun grows for a while.
      const isNews = last !== seen || Number(sequence) % 5 === 0;
      if (isPaused || !isNews || list.top > 300) return;
      seen = last;
      await store.newer();
      app.redraw();
    },
    place(next) {
      const wanted = filterOf(next.query);
      if (fields.every((name) => wanted[name] === filter[name])) return;
      filter = wanted;
      start();
    },
    close: () => store.end(),
    draw() {
      const { traces, hasOlder, dropped, problem } = store;
      slowest = Math.max(1, ...traces.slice(0, 500).map(({ durationMs = 0 }) => durationMs));
      return [
        el(
          "div",
          { class: "head" },
          el("h1", null, "Traces"),
          el(
            "span",
            { class: "muted", "data-traces": traces.length },
            `${count(traces.length)} ${hasOlder ? "newest, older ones as you scroll" : ""}`,
          ),
          droppedMark(dropped),
        ),
        toolbar(),
        failure(problem),
        el(
          "div",
          { class: "panel" },
          traces.length === 0
            ? empty(
                "No samples",
                "Traces are there as soon as somebody calls: ",
                el("a", { href: linkTo("explorer") }, "make a call"),
                ".",
              )
            : list.draw(traces),
        ),
      ];
    },
  };
}

function filterOf(query) {
  return Object.fromEntries(fields.map((name) => [name, query.get(name) ?? ""]));
}
