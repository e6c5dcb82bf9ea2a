/** Whom a change hits, as far as policies and examples tell. */
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { ANYBODY, EDGE } from "../codegen/weft/contract/model.ts";
import type { Change, TouchedCallers } from "./change.ts";
import type { Example } from "./examples/example.ts";
import { nameOf, type Rpc, type Surface } from "./surface.ts";

/** Stand for programs outside of the mesh, as long as none of them has given an example. */
const REST_CLIENTS = "REST clients";
const EDGE_CLIENTS = "clients of the edge";

export interface Hits {
  /** Consumer → names of its examples that rely on what changes; none: it may, but has no example. */
  readonly consumers: ReadonlyMap<string, readonly string[]>;
  readonly rpcs: readonly string[];
  readonly routes: readonly string[];
  readonly events: readonly string[];
}

/** @param before the contract that consumers know */
export function hitsOf({ touches }: Change, before: Surface, examples: readonly Example[]): Hits {
  const found = new Collected(before, examples);
  switch (touches.kind) {
    case "nobody":
      break;
    case "rpc":
      found.rpc(before.rpcs.get(nameOf(touches.rpc))!, touches.only, () => true);
      break;
    case "event":
      found.event(touches.type, touches.readers, () => true);
      break;
    case "field":
      found.messages(touches.field.parent, ({ uses }) => uses.fields.has(fieldName(touches.field)));
      break;
    case "missing field":
      found.messages(touches.field.parent, (example) => lacks(example, touches.field), "request");
      break;
    case "sent message":
      found.messages(touches.message, ({ uses }) => uses.sent.has(touches.message.typeName), "request");
      break;
    case "enum":
      found.enumeration(touches.enumeration.typeName, touches.value);
  }
  return found;
}

function fieldName(field: DescField): string {
  return `${field.parent.typeName}.${field.name}`;
}

function lacks({ uses }: Example, field: DescField): boolean {
  return uses.sent.has(field.parent.typeName) && !uses.fields.has(fieldName(field));
}

class Collected implements Hits {
  readonly consumers = new Map<string, string[]>();
  readonly #rpcs = new Set<string>();
  readonly #routes = new Set<string>();
  readonly #events = new Set<string>();
  readonly #before: Surface;
  readonly #examples: readonly Example[];

  constructor(before: Surface, examples: readonly Example[]) {
    this.#before = before;
    this.#examples = examples;
  }

  get rpcs(): string[] {
    return [...this.#rpcs];
  }
  get routes(): string[] {
    return [...this.#routes];
  }
  get events(): string[] {
    return [...this.#events];
  }

  /** Callers of an RPC: those with an example are hit where it relies on the change, those without may be. */
  rpc(rpc: Rpc, only: TouchedCallers | undefined, relies: (example: Example) => boolean): void {
    const name = nameOf(rpc.desc);
    const own = this.#examples.filter(({ of }) => of.kind === "rpc" && nameOf(of.rpc) === name);
    const byRest = own.filter(({ of }) => of.kind === "rpc" && of.route !== undefined);
    const open = rpc.policy.callers.includes(EDGE);
    const workloads = rpc.policy.callers.filter((caller) => caller !== EDGE && caller !== rpc.provider);
    const outside = [...new Set(byRest.map(({ consumer }) => consumer))];
    if (open && outside.length === 0) outside.push(rpc.routes.size > 0 ? REST_CLIENTS : EDGE_CLIENTS);
    const all = [...workloads, ...(open ? outside : [])];
    const hit = all.filter((consumer) => {
      if (only && !this.#among(only, consumer, workloads, own)) return false;
      const theirs = own.filter((example) => example.consumer === consumer);
      const relying = theirs.filter((example) => relies(example) && speaksOf(example, only));
      if (theirs.length > 0 && relying.length === 0) return false;
      this.#note(
        consumer === ANYBODY ? "callers without an identity" : consumer,
        relying.map((example) => example.name),
      );
      return true;
    });
    if (hit.length === 0 && !only) return;
    this.#rpcs.add(name);
    if (!hit.some((consumer) => !workloads.includes(consumer))) return;
    const routes = only && "route" in only ? [only.route] : [...rpc.routes.keys()];
    for (const route of routes) this.#routes.add(route);
  }

  #among(
    only: TouchedCallers,
    consumer: string,
    workloads: readonly string[],
    own: readonly Example[],
  ): boolean {
    const isOutside = !workloads.includes(consumer);
    if ("callers" in only) return only.callers.includes(isOutside ? EDGE : consumer);
    if ("rest" in only || "route" in only) return isOutside;
    const theirs = own.filter((example) => example.consumer === consumer);
    return theirs.length === 0 || theirs.some((example) => speaksOf(example, only));
  }

  event(type: string, readers: readonly string[] | undefined, relies: (example: Example) => boolean): void {
    const event = this.#before.events.get(type);
    if (!event) return;
    const all = readers ?? event.consumers.map(({ service }) => service);
    const own = this.#examples.filter(({ of }) => of.kind === "event" && of.type === type);
    const hit = all.filter((consumer) => {
      const theirs = own.filter((example) => example.consumer === consumer);
      const relying = theirs.filter(relies);
      if (theirs.length > 0 && relying.length === 0) return false;
      this.#note(
        consumer,
        relying.map((example) => example.name),
      );
      return true;
    });
    if (hit.length > 0 || all.length === 0) this.#events.add(type);
  }

  /** Whoever sends or reads a message, in whatever other it is nested. */
  messages({ typeName }: DescMessage, relies: (example: Example) => boolean, direction?: "request"): void {
    const holds = (message: DescMessage) => reaches(message, typeName);
    for (const rpc of this.#before.rpcs.values())
      if (holds(rpc.desc.input) || (!direction && holds(rpc.desc.output))) this.rpc(rpc, undefined, relies);
    if (!direction)
      for (const event of this.#before.events.values())
        if (holds(event.desc)) this.event(event.type, undefined, relies);
  }

  /** Whoever names the value, or reads or sends fields that could hold it. */
  enumeration(type: string, value: string | undefined): void {
    const relies = ({ uses }: Example) =>
      uses.enums.has(type) || (value !== undefined && uses.enums.has(value));
    const holds = (message: DescMessage) => reaches(message, type);
    const named = ({ of, uses }: Example) =>
      of.kind === "rpc" && value !== undefined && uses.enums.has(value);
    for (const rpc of this.#before.rpcs.values()) {
      const inError = this.#examples.some(
        (example) =>
          named(example) && example.of.kind === "rpc" && nameOf(example.of.rpc) === nameOf(rpc.desc),
      );
      if (inError || holds(rpc.desc.input) || holds(rpc.desc.output)) this.rpc(rpc, undefined, relies);
    }
    for (const event of this.#before.events.values())
      if (holds(event.desc)) this.event(event.type, undefined, relies);
  }

  #note(consumer: string, examples: readonly string[]): void {
    const known = this.consumers.get(consumer) ?? [];
    this.consumers.set(consumer, [...new Set([...known, ...examples])]);
  }
}

/** Whether an example is one of those that are meant: of that route, with that role. */
function speaksOf({ of, roles }: Example, only: TouchedCallers | undefined): boolean {
  if (only && "route" in only) return of.kind === "rpc" && of.route === only.route;
  if (only && "roles" in only) return only.roles.some((role) => roles?.includes(role));
  return true;
}

/** Whether a message holds a message or an enum, at any depth, or is it. */
function reaches(from: DescMessage, type: string, seen = new Set<string>()): boolean {
  if (from.typeName === type) return true;
  if (seen.has(from.typeName)) return false;
  seen.add(from.typeName);
  return from.fields.some(
    ({ message, enum: enumeration }) =>
      enumeration?.typeName === type || (message !== undefined && reaches(message, type, seen)),
  );
}
