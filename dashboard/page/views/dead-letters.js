/** Events that no try could handle: why, and to handle them again or give them up. */
import { call } from "../api.js";
import { count, exactTime, words } from "../format.js";
import { badge, empty, failure } from "../parts/badges.js";
import { jsonText } from "../parts/json-text.js";
import { panel } from "../parts/panel.js";
import { table } from "../parts/table.js";
import { el } from "../render.js";

/** A part of the view of events. */
export function deadLetters(app) {
  let letters;
  let problems = [];
  let problem;
  let seen;
  let detail;
  load();

  async function load() {
    try {
      const reply = await call("ListDeadLetters", { states: ["OPEN", "RETRYING"] });
      letters = reply.deadLetters ?? [];
      problems = reply.problems ?? [];
      problem = undefined;
    } catch (error) {
      problem = error;
    }
    app.redraw();
  }

  async function act(method, done, service, id) {
    await app.notices.tell(done, call(method, { service, id }));
    if (detail?.id === id) detail = undefined;
    await load();
  }

  async function show(service, id) {
    detail =
      detail?.id === id
        ? undefined
        : { id, letter: await app.notices.tell("", call("GetDeadLetter", { service, id })) };
    app.redraw();
  }

  const list = () =>
    table({
      label: "Dead letters",
      of: letters,
      key: ({ service, deadLetter }) => `${service} ${deadLetter.id}`,
      rowOf: ({ deadLetter }) => ({ "data-dead-letter": deadLetter.id }),
      columns: [
        {
          head: "Event",
          heading: true,
          cell: ({ service, deadLetter: { id, type } }) =>
            el(
              "button",
              {
                type: "button",
                class: "small mono",
                "aria-expanded": String(detail?.id === id),
                "data-row": "",
                on: { click: () => show(service, id) },
              },
              type || id,
            ),
        },
        { head: "Reader", cell: ({ service }) => service },
        {
          head: "State",
          cell: ({ deadLetter: { state } }) => badge(words(state), state === "OPEN" ? "bad" : "warn"),
        },
        { head: "Why", cell: ({ deadLetter }) => deadLetter.cause || "–" },
        { head: "Tries", cell: ({ deadLetter }) => count(deadLetter.attempts), number: true },
        {
          head: "Since",
          cell: ({ deadLetter }) => exactTime(deadLetter.deadAt ?? deadLetter.firstFailedAt),
          tight: true,
        },
        {
          head: "Do",
          cell: ({ service, deadLetter: { id } }) =>
            el(
              "span",
              { class: "buttons" },
              el(
                "button",
                {
                  type: "button",
                  class: "small",
                  on: { click: () => act("ReplayDeadLetter", "It is handled again", service, id) },
                },
                "replay",
              ),
              el(
                "button",
                {
                  type: "button",
                  class: "small danger",
                  on: { click: () => act("DropDeadLetter", "It was given up", service, id) },
                },
                "drop",
              ),
            ),
        },
      ],
    });

  return {
    tick(open) {
      if (open === seen) return;
      seen = open;
      load();
    },
    draw: () =>
      panel(
        "Dead letters",
        problems.map((text) => badge(text, "warn", { key: text })),
        failure(problem),
        !letters
          ? empty("Loading")
          : letters.length === 0
            ? empty("None", "Every event was handled, or is still being tried.")
            : list(),
        detail?.letter && el("div", { class: "panel-body" }, jsonText(detail.letter, "Dead letter")),
      ),
  };
}
