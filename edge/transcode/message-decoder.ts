import type { DescMessage, Registry } from "@bufbuild/protobuf";
import { compileSlot, type Slot } from "./field-decoder.ts";
import { JsonWriter } from "./json-writer.ts";
import { isTextMessage } from "./text-message.ts";
import { wellKnownDecoder } from "./well-known-decoders.ts";
import { isInOrder, putInOrder, type SlotsByNumber, slotOf } from "./wire-order.ts";
import { WireReader } from "./wire-reader.ts";

/** Deepest nesting of messages written as JSON. */
const MAX_DEPTH = 500;

const OPEN = 0x7b;
const CLOSE = 0x7d;

export interface JsonStyle {
  readonly protoNames: boolean;
  readonly enumsAsInts: boolean;
  readonly emitDefaults: boolean;
}

/**
 * From the wire straight to JSON text, without message objects in between and, in the order that encoders write,
 * in one go. Compiled once for each type.
 */
export interface MessageDecoder {
  readonly desc: DescMessage;
  readonly wellKnown: boolean;
  readonly slots: readonly Slot[];
  readonly byNumber: SlotsByNumber;
  /** Writes the message in `reader.bytes` from `reader.pos` to `reader.end`. */
  write(reader: WireReader, out: JsonWriter, depth: number): void;
  /** Only the members, each with a comma in front: for a google.protobuf.Any. */
  writeMembers(reader: WireReader, out: JsonWriter, depth: number): void;
}

export class MessageDecoders {
  readonly #compiled = new Map<DescMessage, MessageDecoder>();
  readonly #out = new JsonWriter();
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
    const isFlat = desc.fields.every(({ message }) => !message || isTextMessage(message));
    const { emitDefaults } = this.style;
    const writeMembers = (reader: WireReader, out: JsonWriter, depth: number): void => {
      if (depth > MAX_DEPTH) throw new Error("messages are nested too deep");
      const { pos } = reader;
      const start = out.pos;
      // With messages inside one must look first: writing them in vain, at every level, would take for ever.
      if (isFlat || isInOrder(byNumber, reader)) {
        if (writeInOrder(slots, byNumber, reader, out, depth, emitDefaults)) return;
        reader.pos = pos;
        out.pos = start;
      }
      writeInOrder(slots, byNumber, putInOrder(byNumber, reader), out, depth, emitDefaults);
    };
    const special = wellKnownDecoder(desc, this);
    const decoder: MessageDecoder = {
      desc,
      slots,
      byNumber,
      wellKnown: special !== undefined,
      writeMembers,
      write:
        special ??
        ((reader, out, depth) => {
          const start = out.pos;
          writeMembers(reader, out, depth);
          // In place of the first comma.
          if (out.pos === start) out.byte(OPEN);
          else out.bytes[start] = OPEN;
          out.byte(CLOSE);
        }),
    };
    this.#compiled.set(desc, decoder);
    for (const field of [...desc.fields].sort((a, b) => a.number - b.number)) {
      const slot = compileSlot(field, slots.length, this);
      slots.push(slot);
      byNumber.set(field.number, slot);
    }
    return decoder;
  }

  /**
   * What `write` writes, as text in bytes (see byte-text.ts).
   * @throws Error when the message has no JSON form
   */
  text(write: (out: JsonWriter) => void): string {
    const start = this.#out.pos;
    try {
      write(this.#out);
      return this.#out.take(start);
    } finally {
      this.#out.pos = start;
    }
  }

  /** A whole message as JSON text in bytes. */
  json(desc: DescMessage, message: Buffer): string {
    return this.text((out) => this.of(desc).write(new WireReader(message), out, 0));
  }

  /** One field of a message as JSON text in bytes; undefined where it is absent. */
  fieldJson(desc: DescMessage, slot: Slot, message: Buffer): string | undefined {
    const { byNumber } = this.of(desc);
    const whole = new WireReader(message);
    const reader = isInOrder(byNumber, whole) ? whole : putInOrder(byNumber, whole);
    while (reader.pos < reader.end) {
      const tag = reader.varint32();
      if (tag >>> 3 === slot.desc.number) {
        const json = this.text((out) => void slot.write(reader, out, tag, 0));
        return json === "" ? undefined : json;
      }
      reader.skip(tag & 7);
    }
    return undefined;
  }
}

/** @returns false when the fields are not in order; something may have been written by then */
function writeInOrder(
  slots: readonly Slot[],
  byNumber: SlotsByNumber,
  reader: WireReader,
  out: JsonWriter,
  depth: number,
  emitDefaults: boolean,
): boolean {
  /** The first slot that is not behind us. */
  let next = 0;
  let oneofs = 0;
  while (reader.pos < reader.end) {
    const tag = reader.varint32();
    const slot = slotOf(byNumber, tag);
    if (!slot) {
      reader.skip(tag & 7);
      continue;
    }
    if (slot.index < next || slot.oneofBit & oneofs) return false;
    oneofs |= slot.oneofBit;
    if (emitDefaults) for (; next < slot.index; next++) writeEmpty(slots[next]!, out);
    next = slot.index + 1;
    const start = out.pos;
    out.copy(slot.key);
    if (slot.write(reader, out, tag, depth)) continue;
    out.pos = start;
    if (emitDefaults) writeEmpty(slot, out);
  }
  if (emitDefaults) for (; next < slots.length; next++) writeEmpty(slots[next]!, out);
  return true;
}

function writeEmpty({ key, emptyJson }: Slot, out: JsonWriter): void {
  if (emptyJson === undefined) return;
  out.copy(key);
  out.text(emptyJson);
}
