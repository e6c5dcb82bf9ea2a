/** What happened to one thing: its state, what its service tried, and the events that left. */
import { call } from "../api.js";
import { exactTime, ms, words } from "../format.js";
import { badge, empty, failure } from "../parts/badges.js";
import { jsonText } from "../parts/json-text.js";
import { panel } from "../parts/panel.js";
import { el } from "../render.js";
import { linkTo } from "../router.js";

/** It is asked for again while it changes, and for so many ticks after. */
const quietTicks = 4;

export function openTimeline(app, view, key) {
  let timeline;
  let problem;
  let quiet = 0;
  load();

  async function load() {
    try {
      const found = await call("GetTimeline", { view, key });
      quiet = JSON.stringify(found) === JSON.stringify(timeline) ? quiet + 1 : 0;
      timeline = found;
      problem = undefined;
    } catch (error) {
      problem = error;
    }
    app.redraw();
  }

  /** Steps and events in one column, by time. */
  function moments() {
    const { steps = [], events = [] } = timeline;
    const all = [
      ...steps.map((step) => ({
        at: step.startedAt,
        id: `${step.name} ${step.attempt}`,
        draw: () => stepOf(step),
      })),
      ...events.map((event) => ({
        at: event.time,
        id: `${event.stream} ${event.sequence}`,
        draw: () => eventOf(event),
      })),
    ].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
    if (all.length === 0) return empty("No samples");
    const begin = Date.parse(all[0].at);
    return el(
      "ol",
      { class: "moments" },
      all.map(({ at, id, draw }) =>
        el(
          "li",
          { key: id, class: "at" },
          el(
            "span",
            { class: "when muted" },
            el("time", { datetime: at }, exactTime(at)),
            ` +${ms(Date.parse(at) - begin)}`,
          ),
          draw(),
        ),
      ),
    );
  }

  const stepOf = ({ name, attempt = 1, outcome, failed, reason, startedAt, endedAt }) =>
    el(
      "div",
      { class: `moment step ${failed ? "bad" : "good"}`, "data-step": name },
      el("strong", null, words(name)),
      attempt > 1 && el("span", { class: "muted" }, `try ${attempt}`),
      badge(words(outcome), failed ? "bad" : "good"),
      endedAt && el("span", { class: "muted" }, `took ${ms(Date.parse(endedAt) - Date.parse(startedAt))}`),
      reason && el("span", null, reason),
    );

  const eventOf = ({ name, stream, sequence }) =>
    el(
      "div",
      { class: "moment event-of", "data-event": name },
      el("span", { class: "muted" }, "event"),
      el("strong", null, name),
      el("a", { class: "mono", href: linkTo("events", [stream]) }, `${stream} #${sequence}`),
    );

  const toneOfState = (state) =>
    timeline.steps?.some(({ failed, name }) => failed && name === timeline.steps.at(-1).name)
      ? "warn"
      : state
        ? "info"
        : "calm";

  return {
    title: key,
    tick() {
      if (quiet < quietTicks) load();
    },
    draw: () => [
      el("p", null, el("a", { href: linkTo("timelines", [view]) }, "All of them")),
      el(
        "div",
        { class: "head" },
        el("h1", { class: "mono" }, key),
        timeline?.state &&
          badge(words(timeline.state), toneOfState(timeline.state), { "data-state": timeline.state }),
        timeline?.traceId && el("a", { href: linkTo("traces", [timeline.traceId]) }, "its trace"),
      ),
      failure(problem),
      !timeline
        ? !problem && empty("Loading")
        : el(
            "div",
            { class: "grid" },
            panel("What happened", undefined, moments()),
            timeline.resource &&
              panel(
                "As its service gives it",
                undefined,
                el("div", { class: "panel-body" }, jsonText(timeline.resource, "Resource")),
              ),
          ),
    ],
  };
}
