import { isUtf8 } from "node:buffer";

const REPLACEMENT = "\ufffd";

/** A cursor over protobuf wire format. Throws a plain Error where the bytes end or make no sense. */
export class WireReader {
  readonly bytes: Buffer;
  pos: number;
  end: number;
  /** Halves of the last 64-bit value read, unsigned. */
  low = 0;
  high = 0;

  constructor(bytes: Buffer, pos = 0, end = bytes.length) {
    this.bytes = bytes;
    this.pos = pos;
    this.end = end;
  }

  /** An unsigned varint of up to 32 bits; more bits are dropped, as protobuf does for int32. */
  varint32(): number {
    const byte = this.pos < this.end ? this.bytes[this.pos]! : 0x80;
    if (byte < 0x80) {
      this.pos++;
      return byte;
    }
    this.varint64();
    return this.low;
  }

  /** A varint of up to 64 bits into `low` and `high`. */
  varint64(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.pos >= this.end) throw new Error("truncated varint");
      const byte = this.bytes[this.pos++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else if (shift < 63) high |= bits << (shift - 32);
      else high |= (bits & 1) << 31;
      if (byte < 0x80) {
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
    throw new Error("varint is longer than ten bytes");
  }

  /** Moves past `length` bytes and returns where they start. */
  take(length: number): number {
    const start = this.pos;
    if (length > this.end - start) throw new Error("truncated field");
    this.pos = start + length;
    return start;
  }

  /** Four bytes. */
  fixed32(): number {
    return this.bytes.readUInt32LE(this.take(4));
  }

  fixed64(): void {
    const start = this.take(8);
    this.low = this.bytes.readUInt32LE(start);
    this.high = this.bytes.readUInt32LE(start + 4);
  }

  float(): number {
    return this.bytes.readFloatLE(this.take(4));
  }

  double(): number {
    return this.bytes.readDoubleLE(this.take(8));
  }

  /** Length-delimited text; proto3 strings are UTF-8, anything else is an error. */
  string(): string {
    return this.#utf8(this.take(this.varint32()));
  }

  /** Length-delimited text as a JSON string in bytes (see byte-text.ts), quotes included. */
  jsonString(): string {
    const start = this.take(this.varint32());
    if (!isUtf8(this.bytes.subarray(start, this.pos))) throw new Error("a string is not UTF-8");
    // What is not ASCII JSON writes as it is, so escaping works on bytes as on characters.
    return JSON.stringify(this.bytes.toString("latin1", start, this.pos));
  }

  #utf8(start: number): string {
    const text = this.bytes.toString("utf8", start, this.pos);
    if (text.includes(REPLACEMENT) && !isUtf8(this.bytes.subarray(start, this.pos)))
      throw new Error("a string is not UTF-8");
    return text;
  }

  /** Length-delimited bytes, a view. */
  view(): Buffer {
    const length = this.varint32();
    const start = this.take(length);
    return this.bytes.subarray(start, this.pos);
  }

  /** Moves past one field's value; for a group, past its end tag. */
  skip(wireType: number, depth = 0): void {
    if (depth > 100) throw new Error("groups are nested too deep");
    switch (wireType) {
      case 0:
        return this.varint64();
      case 1:
        this.take(8);
        return;
      case 2:
        this.take(this.varint32());
        return;
      case 3:
        for (let tag = this.varint32(); (tag & 7) !== 4; tag = this.varint32()) this.skip(tag & 7, depth + 1);
        return;
      case 5:
        this.take(4);
        return;
      default:
        throw new Error(`wire type ${wireType}`);
    }
  }
}
