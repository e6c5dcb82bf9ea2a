/** What follows from orders happens, everywhere, and nothing is left behind. */
import type { Invariant } from "../../harness/system-under-test.ts";
import type { Evidence } from "../evidence.ts";

export const eventInvariants: readonly Invariant<Evidence>[] = [
  {
    name: "work comes to rest",
    promise:
      "Events, payments and mails that follow from the orders are done soon after the last fault, too.",
    check: ({ quietAfter, unfinished }) => (quietAfter === undefined ? [unfinished || "unknown"] : []),
  },
  {
    name: "events are in their streams",
    promise: "Every event of an outbox is published, and its stream has it, whatever happened to the stream.",
    check: ({ events, streams }) =>
      events.flatMap(({ id, type, stream, published }) => {
        if (!published) return [`${type} ${id} was not published`];
        return streams[stream]?.ids.has(id) ? [] : [`${type} ${id} is not in the stream ${stream}`];
      }),
  },
  {
    name: "nothing is given up",
    promise: "Only poison becomes a dead letter, and all poison that a stream still has does.",
    check({ deadLetters, streams }) {
      // What cannot be read has no id: its dead letter is called STREAM:SEQUENCE@TIME.
      const place = (eventId: string) => eventId.split("@")[0]!;
      const given = new Set(
        deadLetters.filter(({ state }) => state === "open").map(({ eventId }) => place(eventId)),
      );
      const wrong = deadLetters
        .filter(({ poison, state }) => state !== "replayed" && !poison)
        .map(({ consumer, eventId, state }) => `${consumer} has event ${eventId} as a dead letter: ${state}`);
      const kept = Object.values(streams).flatMap(({ poison: held }) => [...held]);
      return [...wrong, ...kept.filter((id) => !given.has(id)).map((id) => `poison ${id} is no dead letter`)];
    },
  },
];
