import { isUtf8 } from "node:buffer";
import { sequenceLength } from "./byte-text.ts";

const FIRST_BYTES = 16 * 1024;
/** A buffer that grew beyond this for one large reply is not kept. */
const KEPT_BYTES = 1024 * 1024;
/** Longest text that is copied byte by byte: above, the engine's own functions are faster. */
const SHORT_BYTES = 256;
/** Most bytes a byte of a text takes in JSON: `\u001f`. */
const MOST_ESCAPED = 6;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const DIGIT = 0x30;

/**
 * JSON text in the making, as bytes in one buffer that is used again and again. What comes from the wire is copied,
 * never decoded. Whoever writes something may take it back by setting `pos`.
 */
export class JsonWriter {
  bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  pos = 0;

  /** Makes room for `more` bytes; only needed by who writes to `bytes` directly. */
  reserve(more: number): void {
    if (this.pos + more <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.bytes.length, this.pos + more));
    this.bytes.copy(larger, 0, 0, this.pos);
    this.bytes = larger;
  }

  byte(code: number): void {
    if (this.pos === this.bytes.length) this.reserve(1);
    this.bytes[this.pos++] = code;
  }

  /** A few bytes, such as a key. */
  copy(from: Uint8Array): void {
    const { length } = from;
    this.reserve(length);
    const { bytes } = this;
    let { pos } = this;
    for (let i = 0; i < length; i++) bytes[pos++] = from[i]!;
    this.pos = pos;
  }

  /** Text in bytes (see byte-text.ts). */
  text(text: string): void {
    const { length } = text;
    this.reserve(length);
    if (length > 32) {
      this.pos += this.bytes.write(text, this.pos, "latin1");
      return;
    }
    for (let i = 0; i < length; i++) this.bytes[this.pos++] = text.charCodeAt(i);
  }

  /** An integer from 0 to 2^32 - 1. */
  digits(value: number): void {
    this.reserve(10);
    let end = this.pos + 1;
    for (let least = 10; end < this.pos + 10 && value >= least; least *= 10) end++;
    let rest = value;
    for (let at = end - 1; at >= this.pos; at--) {
      const tenth = (rest / 10) >>> 0;
      this.bytes[at] = DIGIT + rest - tenth * 10;
      rest = tenth;
    }
    this.pos = end;
  }

  /** Two digits of 0 to 99. */
  pair(value: number): void {
    const tenth = (value / 10) | 0;
    this.byte(DIGIT + tenth);
    this.byte(DIGIT + value - tenth * 10);
  }

  /**
   * A JSON string of a text in UTF-8.
   * @throws Error when it is not UTF-8
   */
  string(from: Buffer, start: number, end: number): void {
    if (end - start > SHORT_BYTES) {
      if (!isUtf8(from.subarray(start, end))) throw new Error("a string is not UTF-8");
      // What is not ASCII JSON writes as it is, so escaping works on bytes as on characters.
      this.text(JSON.stringify(from.toString("latin1", start, end)));
      return;
    }
    this.reserve((end - start) * MOST_ESCAPED + 2);
    const { bytes } = this;
    let { pos } = this;
    bytes[pos++] = QUOTE;
    for (let i = start; i < end; i++) {
      const byte = from[i]!;
      if (byte < 0x20 || byte === QUOTE || byte === BACKSLASH) {
        pos = this.#escape(byte, pos);
      } else if (byte < 0x80) {
        bytes[pos++] = byte;
      } else {
        const length = sequenceLength(from, i, end);
        if (length === 0) throw new Error("a string is not UTF-8");
        for (let last = i + length - 1; i < last; i++) bytes[pos++] = from[i]!;
        bytes[pos++] = from[i]!;
      }
    }
    bytes[pos++] = QUOTE;
    this.pos = pos;
  }

  #escape(byte: number, pos: number): number {
    const escaped = ESCAPED[byte]!;
    for (let i = 0; i < escaped.length; i++) this.bytes[pos + i] = escaped.charCodeAt(i);
    return pos + escaped.length;
  }

  /** Takes back what was written from `start` on, as text in bytes. */
  take(start: number): string {
    const text = this.bytes.toString("latin1", start, this.pos);
    this.pos = start;
    if (start === 0 && this.bytes.length > KEPT_BYTES) this.bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
    return text;
  }
}

/** What stands for the bytes that JSON strings must not have as they are. */
const ESCAPED: readonly string[] = Array.from({ length: BACKSLASH + 1 }, (_, byte) =>
  JSON.stringify(String.fromCharCode(byte)).slice(1, -1),
);
