/** The bus: streams, who reads them and how far behind, events with their payload, dead letters. */
import { call } from "../api.js";
import { bytes, count, exactTime } from "../format.js";
import { badge, empty, failure } from "../parts/badges.js";
import { panel } from "../parts/panel.js";
import { table } from "../parts/table.js";
import { el } from "../render.js";
import { linkTo } from "../router.js";
import { deadLetters } from "./dead-letters.js";
import { eventForm } from "./event-form.js";
import { streamEvents } from "./stream-events.js";

/** Streams change with each event: they are asked for again every so many ticks. */
const everyTicks = 2;

export function openEvents(app, place) {
  const [chosen] = place.path;
  let streams;
  let problem;
  let ticks = 0;
  const letters = deadLetters(app);
  const form = eventForm(app, chosen);
  const events = chosen ? streamEvents(app, chosen) : undefined;
  load();

  async function load() {
    try {
      ({ streams = [] } = await call("ListStreams"));
      problem = undefined;
    } catch (error) {
      problem = error;
    }
    app.redraw();
  }

  const streamTable = () =>
    table({
      label: "Streams",
      of: streams,
      key: ({ name }) => name,
      rowOf: ({ name }) => ({ class: name === chosen ? "chosen" : undefined }),
      columns: [
        {
          head: "Stream",
          heading: true,
          cell: ({ name }) =>
            el("a", { href: linkTo("events", [name]), class: "mono", "data-row": "" }, name),
        },
        { head: "Subjects", cell: ({ subjects = [] }) => el("span", { class: "mono" }, subjects.join(" ")) },
        { head: "Events", cell: ({ messages = 0 }) => count(messages), number: true },
        {
          head: "Size",
          cell: ({ bytes: size = 0, maxBytes = 0 }) =>
            Number(maxBytes) > 0 ? `${bytes(size)} of ${bytes(maxBytes)}` : bytes(size),
          number: true,
        },
        {
          head: "Oldest",
          cell: ({ firstSequence = 0 }) => [
            count(firstSequence),
            Number(firstSequence) > 1 && badge("oldest dropped", "warn"),
          ],
          number: true,
        },
        { head: "Newest", cell: ({ lastSequence = 0 }) => count(lastSequence), number: true },
        { head: "Came last", cell: ({ lastTime }) => exactTime(lastTime), tight: true },
      ],
    });

  const consumerTable = (consumers) =>
    table({
      label: "Consumers",
      of: consumers,
      key: ({ stream, name }) => `${stream} ${name}`,
      columns: [
        {
          head: "Reader",
          heading: true,
          cell: ({ service }) => el("a", { href: linkTo("services", [service]) }, service),
        },
        { head: "Subject", cell: ({ subject }) => el("span", { class: "mono" }, subject) },
        { head: "State", cell: ({ active }) => (active ? badge("reading", "good") : badge("away", "bad")) },
        {
          head: "Lag",
          cell: ({ pending = 0 }) => (Number(pending) > 0 ? badge(count(pending), "warn") : "0"),
          number: true,
        },
        { head: "In flight", cell: ({ inFlight = 0 }) => count(inFlight), number: true },
        {
          head: "Given again",
          cell: ({ redelivered = 0 }) => (Number(redelivered) > 0 ? badge(count(redelivered), "warn") : "0"),
          number: true,
        },
        { head: "Read up to", cell: ({ deliveredSequence = 0 }) => count(deliveredSequence), number: true },
      ],
    });

  return {
    title: chosen ? `${chosen} · Events` : "Events",
    tick({ openDeadLetters }) {
      if (ticks++ % everyTicks === 0) load();
      letters.tick(openDeadLetters);
      events?.tick(streams?.find(({ name }) => name === chosen)?.lastSequence);
    },
    draw() {
      const consumers = (app.tick?.consumers ?? []).filter(({ stream }) => !chosen || stream === chosen);
      return [
        el(
          "div",
          { class: "head" },
          el("h1", null, "Events"),
          chosen && el("div", { class: "actions" }, el("a", { href: linkTo("events") }, "All streams")),
        ),
        failure(problem),
        panel(
          "Streams",
          undefined,
          !streams ? empty("Loading") : streams.length === 0 ? empty("No streams") : streamTable(),
        ),
        events?.draw(),
        panel(
          "Consumers",
          undefined,
          consumers.length === 0
            ? empty("No samples", "The bus is away, or nobody reads.")
            : consumerTable(consumers),
        ),
        letters.draw(),
        form.draw(),
      ];
    },
  };
}
