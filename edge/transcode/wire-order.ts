/**
 * Fields come in the order of their numbers, and singular ones once, from every encoder there is. The wire format
 * allows anything else: any order, a last value that counts, messages in parts, members of a oneof that replace
 * each other. Messages of that kind are first put into the usual form, in time that grows with their size only.
 */
import type { Slot } from "./field-decoder.ts";
import { WireReader } from "./wire-reader.ts";

const LENGTH_DELIMITED = 2;
const START_GROUP = 3;

/** What a tag means; undefined for a field that is unknown, or of another type, which is the same. */
export function slotOf(slots: SlotsByNumber, tag: number): Slot | undefined {
  const slot = slots.get(tag >>> 3);
  const wireType = tag & 7;
  if (slot && (wireType === slot.wireType || (slot.packable && wireType === LENGTH_DELIMITED))) return slot;
  if (tag >>> 3 === 0) throw new Error("field number 0");
  return undefined;
}

export type SlotsByNumber = ReadonlyMap<number, Slot>;

/** Whether a message can be written out as it is read. Leaves the reader where it was. */
export function isInOrder(slots: SlotsByNumber, reader: WireReader): boolean {
  const { pos } = reader;
  let before: Slot | undefined;
  let oneofs = 0;
  let inOrder = true;
  while (inOrder && reader.pos < reader.end) {
    const tag = reader.varint32();
    const slot = slotOf(slots, tag);
    reader.skip(tag & 7);
    if (!slot) continue;
    if (before && (slot.index < before.index || (slot === before && !slot.repeated))) inOrder = false;
    if (slot.oneofBit & oneofs) inOrder = false;
    oneofs |= slot.oneofBit;
    before = slot;
  }
  reader.pos = pos;
  return inOrder;
}

/** The same message in the usual form, without unknown fields. */
export function putInOrder(slots: SlotsByNumber, reader: WireReader): WireReader {
  /** By slot: where its occurrences are, tags included. */
  const found: (number[] | undefined)[] = [];
  while (reader.pos < reader.end) {
    const start = reader.pos;
    const tag = reader.varint32();
    const slot = slotOf(slots, tag);
    reader.skip(tag & 7);
    if (!slot) continue;
    // Of a oneof the member that came last is the one that is set.
    if (slot.oneof)
      for (const { number } of slot.oneof.fields) {
        const other = slots.get(number)!;
        if (other !== slot) found[other.index] = undefined;
      }
    const parts = found[slot.index];
    if (parts && (slot.repeated || slot.merges)) parts.push(start, reader.pos);
    else found[slot.index] = [start, reader.pos];
  }
  const pieces: Buffer[] = [];
  for (const slot of slots.values()) {
    const ranges = found[slot.index];
    if (!ranges) continue;
    if (slot.merges && ranges.length > 2) pieces.push(...merged(reader.bytes, ranges));
    else
      for (let i = 0; i < ranges.length; i += 2) pieces.push(reader.bytes.subarray(ranges[i], ranges[i + 1]));
  }
  return new WireReader(Buffer.concat(pieces));
}

/** The parts of a message one after another: that is what merging them means (protobuf encoding). */
function merged(bytes: Buffer, ranges: readonly number[]): Buffer[] {
  const parts: Buffer[] = [];
  let head: Buffer = Buffer.alloc(0);
  let tail = head;
  let size = 0;
  for (let i = 0; i < ranges.length; i += 2) {
    const part = new WireReader(bytes, ranges[i], ranges[i + 1]);
    const tag = part.varint32();
    const tagEnd = part.pos;
    if ((tag & 7) === START_GROUP) {
      // The tag that ends a group is as long as the one that begins it, unless somebody pads varints.
      const end = endOfGroup(part);
      parts.push(bytes.subarray(tagEnd, end));
      head = bytes.subarray(ranges[i], tagEnd);
      tail = bytes.subarray(end, ranges[i + 1]);
    } else {
      parts.push(part.view());
      head = bytes.subarray(ranges[i], tagEnd);
    }
    size += parts.at(-1)!.length;
  }
  return tail.length > 0 ? [head, ...parts, tail] : [head, lengthOf(size), ...parts];
}

/** Where the content of a group ends. */
export function endOfGroup(reader: WireReader): number {
  let end = reader.pos;
  for (let tag = reader.varint32(); (tag & 7) !== 4; tag = reader.varint32()) {
    reader.skip(tag & 7);
    end = reader.pos;
  }
  return end;
}

function lengthOf(size: number): Buffer {
  const bytes: number[] = [];
  let rest = size;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}
