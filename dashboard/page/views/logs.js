/** Log lines of all processes: filter, follow, and from a line to its trace. */

import { count } from "../format.js";
import { LogLines } from "../live/log-lines.js";
import { droppedMark, empty, failure } from "../parts/badges.js";
import { search, select } from "../parts/controls.js";
import { logDetail, logLine } from "../parts/log-line.js";
import { VirtualList } from "../parts/virtual-list.js";
import { el } from "../render.js";
import { replaceQuery } from "../router.js";

const levels = [
  ["", "any"],
  ["DEBUG", "debug"],
  ["INFO", "info"],
  ["WARN", "warning"],
  ["ERROR", "error"],
];
/** Wait after the last key before a filter is used, in milliseconds. */
const typingMs = 250;

export function openLogs(app, place) {
  let filter = filterOf(place.query);
  let following = place.query.get("follow") !== "0";
  let chosen;
  let typing;
  let store;
  const list = new VirtualList({
    label: "Log lines",
    rowHeight: 24,
    redraw: app.redraw,
    idOf: ({ position }) => position,
    classOf: () => "log-row",
    row: logLine,
    open: (line) => {
      chosen = chosen === line ? undefined : line;
      // Whoever reads a line does not want it to run away.
      if (chosen && following) follow(false);
      app.redraw();
    },
    onTop: async () => {
      const added = await store.older();
      if (added > 0) {
        list.addedBefore(added);
        app.redraw();
      }
    },
    onLeaveEnd: () => follow(false),
    onEnd: () => {},
  });
  start();

  async function start() {
    store?.end();
    store = new LogLines({
      processes: filter.process ? [filter.process] : [],
      ...(filter.level && { minLevel: filter.level }),
      text: filter.text,
      traceId: filter.trace,
      requestId: filter.request,
    });
    const mine = store;
    await mine.open();
    if (mine !== store) return;
    list.active = -1;
    app.redraw();
  }

  function change(part) {
    filter = { ...filter, ...part };
    clearTimeout(typing);
    typing = setTimeout(() => {
      replaceQuery({ ...filter, follow: following ? "" : "0" });
      start();
    }, typingMs);
    app.redraw();
  }

  function follow(on) {
    following = on;
    replaceQuery({ ...filter, follow: on ? "" : "0" });
    app.redraw();
  }

  function toolbar() {
    const names = (app.tick?.processes ?? []).flatMap(({ name, nodes = [] }) =>
      nodes.length > 1 ? [name, ...nodes] : [name],
    );
    const options = filter.process && !names.includes(filter.process) ? [...names, filter.process] : names;
    return el(
      "form",
      {
        class: "toolbar",
        role: "search",
        "aria-label": "Filter of log lines",
        on: { submit: (event) => event.preventDefault() },
      },
      search("Text", filter.text, (text) => change({ text }), { main: true }),
      select("Process", filter.process, [["", "all"], ...options.map((name) => [name, name])], (process) =>
        change({ process }),
      ),
      select("At least", filter.level, levels, (level) => change({ level })),
      search("Trace id", filter.trace, (trace) => change({ trace })),
      search("Request id", filter.request, (request) => change({ request })),
      el(
        "button",
        { type: "button", "aria-pressed": String(following), on: { click: () => follow(!following) } },
        following ? "Following" : "Follow",
      ),
    );
  }

  return {
    title: "Logs",
    async tick({ logs: { last } = {} }) {
      if (!following) return;
      await store.newer(Number(last ?? 0));
      app.redraw();
    },
    place(next) {
      const wanted = filterOf(next.query);
      if (Object.keys(wanted).every((name) => wanted[name] === filter[name])) return;
      filter = wanted;
      start();
    },
    close: () => store.end(),
    draw() {
      list.follows = following;
      const { lines, dropped, problem, hasOlder } = store;
      return [
        el(
          "div",
          { class: "head" },
          el("h1", null, "Logs"),
          el(
            "span",
            { class: "muted", "data-lines": lines.length },
            `${count(lines.length)} ${hasOlder ? "newest lines, older ones as you scroll" : "lines"}`,
          ),
          droppedMark(dropped),
        ),
        toolbar(),
        failure(problem),
        el(
          "div",
          { class: `columns ${chosen ? "with-detail" : ""}` },
          el(
            "div",
            { class: "panel" },
            lines.length === 0
              ? empty("No lines match", "Those that come are shown here.")
              : list.draw(lines, chosen?.position),
          ),
          chosen &&
            el(
              "aside",
              { class: "panel", "aria-label": "Line" },
              el(
                "div",
                { class: "panel-head" },
                el("h2", null, "Line"),
                el(
                  "button",
                  {
                    type: "button",
                    class: "small",
                    on: {
                      click: () => {
                        chosen = undefined;
                        app.redraw();
                      },
                    },
                  },
                  "Close",
                ),
              ),
              logDetail(chosen),
            ),
        ),
      ];
    },
  };
}

function filterOf(query) {
  return Object.fromEntries(
    ["text", "process", "level", "trace", "request"].map((name) => [name, query.get(name) ?? ""]),
  );
}
