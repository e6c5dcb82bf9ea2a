import type { DescMessage, Registry } from "@bufbuild/protobuf";
import { compileSlot, type Slot } from "./field-decoder.ts";
import { wellKnownDecoder } from "./well-known-decoders.ts";
import { WireReader } from "./wire-reader.ts";

const LENGTH_DELIMITED = 2;
/** Deepest nesting of messages written as JSON. */
const MAX_DEPTH = 500;

export interface JsonStyle {
  readonly protoNames: boolean;
  readonly enumsAsInts: boolean;
  readonly emitDefaults: boolean;
}

/**
 * From the wire straight to JSON text in bytes (see byte-text.ts), without message objects in between. Compiled
 * once for each type.
 */
export interface MessageDecoder {
  readonly desc: DescMessage;
  /** JSON of the message in `reader.bytes` from `reader.pos` to `reader.end`. */
  json(reader: WireReader, depth: number): string;
  /** Only the members, without braces: for a google.protobuf.Any. */
  members(reader: WireReader, depth: number): string;
  readonly wellKnown: boolean;
  readonly slots: readonly Slot[];
  /** What each slot has; undefined for nothing. `slotJson` makes JSON of it. */
  scan(reader: WireReader, depth: number): SlotValue[];
}

/** JSON text, elements of a list joined by commas, or names and values of a map. */
export type SlotValue = string | Map<string, string> | undefined;

export class MessageDecoders {
  readonly #compiled = new Map<DescMessage, MessageDecoder>();
  readonly registry: Registry;
  readonly style: JsonStyle;

  constructor(registry: Registry, style: JsonStyle) {
    this.registry = registry;
    this.style = style;
  }

  of(desc: DescMessage): MessageDecoder {
    const known = this.#compiled.get(desc);
    if (known) return known;
    const slots: Slot[] = [];
    const byNumber = new Map<number, Slot>();
    const scan = (reader: WireReader, depth: number): SlotValue[] =>
      scanFields(byNumber, slots.length, reader, depth);
    const members = (reader: WireReader, depth: number): string =>
      joinMembers(slots, scan(reader, depth), this.style.emitDefaults);
    const special = wellKnownDecoder(desc, this);
    const decoder: MessageDecoder = {
      desc,
      slots,
      scan,
      members,
      wellKnown: special !== undefined,
      json: special ?? ((reader, depth) => `{${members(reader, depth)}}`),
    };
    this.#compiled.set(desc, decoder);
    for (const field of [...desc.fields].sort((a, b) => a.number - b.number)) {
      const slot = compileSlot(field, slots.length, this);
      slots.push(slot);
      byNumber.set(field.number, slot);
    }
    return decoder;
  }
}

function scanFields(
  byNumber: ReadonlyMap<number, Slot>,
  count: number,
  reader: WireReader,
  depth: number,
): SlotValue[] {
  if (depth > MAX_DEPTH) throw new Error("messages are nested too deep");
  const values: SlotValue[] = new Array(count);
  const start = reader.pos;
  while (reader.pos < reader.end) {
    const tag = reader.varint32();
    const slot = byNumber.get(tag >>> 3);
    const wireType = tag & 7;
    if (!slot || (wireType !== slot.wireType && !(slot.packable && wireType === LENGTH_DELIMITED))) {
      if (tag >>> 3 === 0) throw new Error("field number 0");
      reader.skip(wireType);
      continue;
    }
    if (slot.oneof) clearOtherMembers(byNumber, slot, values);
    if (slot.merges && values[slot.index] !== undefined) {
      reader.skip(wireType);
      const merged = allOccurrences(reader, start, slot.desc.number);
      values[slot.index] = slot.message!().json(new WireReader(merged), depth + 1);
    } else values[slot.index] = slot.read(reader, wireType, values[slot.index], depth);
  }
  return values;
}

/** The last member of a oneof on the wire is the one that is set. */
function clearOtherMembers(byNumber: ReadonlyMap<number, Slot>, slot: Slot, values: SlotValue[]): void {
  for (const field of slot.oneof!.fields) {
    const other = byNumber.get(field.number)!;
    if (other !== slot) values[other.index] = undefined;
  }
}

/** A message field that comes in several parts is their concatenation (protobuf encoding, "last one wins"). */
function allOccurrences(reader: WireReader, start: number, number: number): Buffer {
  const parts: Buffer[] = [];
  const again = new WireReader(reader.bytes, start, reader.pos);
  while (again.pos < again.end) {
    const tag = again.varint32();
    if (tag >>> 3 === number && (tag & 7) === 2) parts.push(again.view());
    else again.skip(tag & 7);
  }
  return Buffer.concat(parts);
}

function joinMembers(slots: readonly Slot[], values: readonly SlotValue[], emitDefaults: boolean): string {
  let text = "";
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!;
    const value = values[i];
    const json = value === undefined ? (emitDefaults ? slot.emptyJson : undefined) : slotJson(slot, value);
    if (json !== undefined) text += text === "" ? slot.key + json : `,${slot.key}${json}`;
  }
  return text;
}

export function slotJson(slot: Slot, value: string | Map<string, string>): string {
  if (typeof value === "string") return slot.list ? `[${value}]` : value;
  let text = "";
  for (const [key, json] of value) text += `${text === "" ? "" : ","}${key}:${json}`;
  return `{${text}}`;
}
