/** Things that have a history: a list, and what happened to one of them (timeline.js). */
import { call } from "../api.js";
import { exactTime, ms, since } from "../format.js";
import { empty, failure } from "../parts/badges.js";
import { table } from "../parts/table.js";
import { el } from "../render.js";
import { linkTo } from "../router.js";
import { openTimeline } from "./timeline.js";

const everyTicks = 2;

/** The address is #/timelines/VIEW/KEY; without a view it is the first one. */
export function openTimelines(app, place) {
  const [named, key] = place.path;
  if (named && key) return openTimeline(app, named, key);
  let timelines;
  let problem;
  let ticks = 0;
  const views = () => app.system?.timelineViews ?? [];
  const current = () => views().find(({ name }) => name === named) ?? views()[0];
  load();

  async function load() {
    const view = current();
    if (!view) return;
    try {
      ({ timelines = [] } = await call("ListTimelines", { view: view.name, limit: 200 }));
      problem = undefined;
    } catch (error) {
      problem = error;
    }
    app.redraw();
  }

  const list = (view) =>
    table({
      label: view.title,
      of: timelines,
      key: (each) => each.key,
      rowOf: (each) => ({ "data-timeline": each.key }),
      columns: [
        {
          head: "Key",
          heading: true,
          cell: (each) =>
            el(
              "a",
              { class: "mono", href: linkTo("timelines", [view.name, each.key]), "data-row": "" },
              each.key,
            ),
        },
        { head: "Newest event", cell: ({ lastEvent }) => lastEvent },
        { head: "Began", cell: ({ firstSeenAt }) => exactTime(firstSeenAt), tight: true },
        {
          head: "Took",
          cell: ({ firstSeenAt, changedAt }) =>
            firstSeenAt && changedAt ? ms(Date.parse(changedAt) - Date.parse(firstSeenAt)) : "–",
          number: true,
        },
        { head: "Changed", cell: ({ changedAt }) => `${since(changedAt, app.now)} ago`, tight: true },
        {
          head: "Trace",
          cell: ({ traceId }) =>
            traceId
              ? el("a", { class: "mono", href: linkTo("traces", [traceId]) }, traceId.slice(0, 8))
              : "–",
        },
      ],
    });

  return {
    title: current()?.title ?? "Timelines",
    system: load,
    tick() {
      if (ticks++ % everyTicks === 0) load();
    },
    draw() {
      const view = current();
      this.title = view?.title ?? "Timelines";
      return [
        el(
          "div",
          { class: "head" },
          el("h1", null, this.title),
          views().length > 1 &&
            el(
              "nav",
              { class: "buttons", "aria-label": "Kinds" },
              views().map(({ name, title }) =>
                el("a", { key: name, href: linkTo("timelines", [name]) }, title),
              ),
            ),
        ),
        failure(problem),
        !view
          ? empty("Nothing here has a timeline")
          : !timelines
            ? empty("Loading")
            : timelines.length === 0
              ? empty("None yet", el("a", { href: linkTo("explorer") }, "Make a call"), " that begins one.")
              : el("div", { class: "panel" }, list(view)),
      ];
    },
  };
}
