/** Which things have a timeline: keys of events, remembered as they come. */
import type { Bus } from "#mesh/runtime/events/bus.ts";
import type { TimelineSettings } from "../config.ts";
import type { ContractModel } from "./contract-model.ts";
import { readEvents, type StreamEvent } from "./stream-events.ts";

/** A thing by the events about it. */
export interface Traced {
  readonly key: string;
  /** Oldest first. */
  readonly events: StreamEvent[];
}

/** Things that are remembered; those that changed longest ago are forgotten first. */
const mostThings = 2_000;
/** Events of one thing that are remembered. */
const mostEvents = 100;
const mostRead = 1_000;

export class TimelineIndex {
  readonly #view: TimelineSettings;
  readonly #contract: ContractModel;
  /** In order of their last change. */
  readonly #things = new Map<string, Traced>();
  readonly #seen = new Map<string, number>();
  #reading: Promise<void> = Promise.resolve();

  constructor(view: TimelineSettings, contract: ContractModel) {
    this.#view = view;
    this.#contract = contract;
  }

  /** Reads what came since the last time. @throws Error when the bus is away */
  read(bus: Bus): Promise<void> {
    // One after the other: two at once would remember each event twice.
    this.#reading = this.#reading.catch(() => {}).then(() => this.#readOn(bus));
    return this.#reading;
  }

  /** Those that changed last first. */
  newest(limit: number): Traced[] {
    return [...this.#things.values()].toReversed().slice(0, limit);
  }

  get(key: string): Traced | undefined {
    return this.#things.get(key);
  }

  async #readOn(bus: Bus): Promise<void> {
    const wanted = this.#contract.contract.events.filter(({ type }) => this.#view.events.includes(type));
    const subjects = new Set(wanted.map(({ subject }) => subject));
    for (const stream of new Set(wanted.map((event) => event.stream))) {
      const after = this.#seen.get(stream) ?? 0;
      const { events } = await readEvents(bus, this.#contract.registry, {
        stream,
        before: 0,
        after,
        limit: mostRead,
        matches: ({ subject, key }) => subjects.has(subject) && key !== "",
      });
      for (const event of events.toReversed()) this.#remember(event);
      const newest = events[0]?.sequence;
      if (newest !== undefined) this.#seen.set(stream, Math.max(after, newest));
    }
  }

  #remember(event: StreamEvent): void {
    const known = this.#things.get(event.key) ?? { key: event.key, events: [] };
    known.events.push(event);
    if (known.events.length > mostEvents) known.events.shift();
    this.#things.delete(event.key);
    this.#things.set(event.key, known);
    if (this.#things.size > mostThings) this.#things.delete(this.#things.keys().next().value!);
  }
}
