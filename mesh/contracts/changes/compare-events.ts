/** Events are held to what RPCs are: address, order, readers and their deadlines stay. */
import type { Change } from "../change.ts";
import type { EventOf, Surface } from "../surface.ts";
import { at } from "./at.ts";

export function compareEvents(before: Surface, now: Surface): Change[] {
  return [...before.events.values()].flatMap((was) => {
    const is = now.events.get(was.type);
    if (is) return [...address(was, is), ...readers(was, is)];
    const message = now.messages.get(was.type);
    const where = message ?? now.registry.getFile(was.desc.file.proto.name) ?? was.desc;
    const means = message ? "is no event any more" : "the event is gone";
    return [at(was.type, where, "event removed", means, { kind: "event", type: was.type })];
  });
}

function address(was: EventOf, is: EventOf): Change[] {
  const touches = { kind: "event", type: was.type } as const;
  const changed = (id: string, what: string, old: string, now: string) =>
    old === now ? [] : [at(was.type, is.desc, id, `${what} is "${now}", not "${old}"`, touches)];
  return [
    ...changed("subject", "the subject", was.subject, is.subject),
    ...changed("key", "what orders events", was.key, is.key),
    // A version where there was none lets readers drop what is old, if they care.
    ...(was.version ? changed("version", "the version", was.version, is.version) : []),
  ];
}

function readers(was: EventOf, is: EventOf): Change[] {
  return was.consumers.flatMap((old) => {
    const name = old.service;
    const note = (id: string, means: string) =>
      at(was.type, is.desc, `${id} ${name}`, means, { kind: "event", type: was.type, readers: [name] });
    const now = is.consumers.find(({ service }) => service === name);
    if (!now) return [note("reader", `"${name}" does not get it any more`)];
    return [
      ...(now.ackWaitMs < old.ackWaitMs
        ? [note("time of", `"${name}" has ${now.ackWaitMs} ms for an event, not ${old.ackWaitMs} ms`)]
        : []),
      ...(now.maxDeliver < old.maxDeliver
        ? [note("deliveries to", `"${name}" gets it ${now.maxDeliver} times, not ${old.maxDeliver}`)]
        : []),
    ];
  });
}
