/** Publish an event of the contract by hand: its readers take it for real. */
import { call } from "../api.js";
import { badge, failure } from "../parts/badges.js";
import { button, select, text as textField } from "../parts/controls.js";
import { jsonField } from "../parts/json-field.js";
import { panel } from "../parts/panel.js";
import { el } from "../render.js";
import { linkTo } from "../router.js";
import { findingsIn } from "./schema-check.js";

/** A part of the view of events. @param {string | undefined} stream only its events; undefined: all of them */
export function eventForm(app, stream) {
  let events = [];
  let form;
  let json = "";
  let id = "";
  let problem;
  let published;
  load();

  async function load() {
    try {
      const contract = await call("GetContract");
      events = (contract.events ?? []).filter((event) => !stream || event.stream === stream);
    } catch (error) {
      problem = error;
    }
    app.redraw();
  }

  async function choose(subject) {
    form = undefined;
    published = problem = undefined;
    try {
      if (subject) form = await call("GetEventForm", { event: subject });
      json = form?.example ?? "";
    } catch (error) {
      problem = error;
    }
    app.redraw();
  }

  async function publish() {
    published = problem = undefined;
    try {
      published = await call("PublishEvent", { event: form.subject, json, id });
    } catch (error) {
      problem = error;
    }
    app.redraw();
  }

  const outcome = () => {
    if (!published) return undefined;
    const { id: eventId, stream: on, sequence, duplicate } = published;
    return el(
      "p",
      { role: "status", "data-published": eventId },
      duplicate ? badge("was there already", "warn") : badge("published", "good"),
      ` as ${eventId}, `,
      el("a", { href: linkTo("events", [on]) }, `${on} #${sequence}`),
      duplicate ? ": readers get one id once." : "",
    );
  };

  function draft() {
    const { consumers = [] } = events.find(({ subject }) => subject === form.subject) ?? {};
    const findings = findingsIn(json, form.schema ?? {});
    const readers = consumers.map(({ service }) => service).join(", ");
    return [
      el("p", { class: "muted" }, readers ? `Read by ${readers}, for real.` : "Nobody reads it."),
      jsonField("Event, as JSON", json, findings, {
        id: "event-findings",
        hear: (value) => {
          json = value;
          app.redraw();
        },
        submit: publish,
      }),
      el(
        "div",
        { class: "toolbar" },
        textField("Id; empty: a new one", id, (value) => {
          id = value;
        }),
        button("Publish", publish, { class: "primary" }),
      ),
    ];
  }

  return {
    draw() {
      const allowed = app.system?.abilities?.includes("PUBLISH") ?? true;
      return panel(
        "Publish an event",
        undefined,
        el(
          "div",
          { class: "panel-body detail" },
          allowed
            ? [
                el(
                  "div",
                  { class: "toolbar" },
                  select(
                    "Event",
                    form?.subject ?? "",
                    [["", "choose one"], ...events.map(({ subject }) => [subject, subject])],
                    choose,
                  ),
                ),
                form && draft(),
                failure(problem),
                outcome(),
              ]
            : el("p", { class: "muted" }, "Events are published by hand in development only."),
        ),
      );
    },
  };
}
