const FRAME_HEADER_BYTES = 5;

/**
 * Writes protobuf wire format into one growing buffer that starts with room for the header of a gRPC
 * message, so that a request is one allocation from first byte to socket.
 */
export class WireWriter {
  #bytes: Buffer;
  pos = FRAME_HEADER_BYTES;

  /** @param expected bytes the message will probably need */
  constructor(expected: number) {
    this.#bytes = Buffer.allocUnsafe(FRAME_HEADER_BYTES + expected);
  }

  /** The message in gRPC framing, uncompressed. The writer must not be used afterwards. */
  frame(): Buffer {
    this.#bytes[0] = 0;
    this.#bytes.writeUInt32BE(this.pos - FRAME_HEADER_BYTES, 1);
    return this.#bytes.subarray(0, this.pos);
  }

  /** The message's bytes from `from` (default: all of it), without the frame header. */
  slice(from = FRAME_HEADER_BYTES): Buffer {
    return this.#bytes.subarray(from, this.pos);
  }

  #reserve(more: number): Buffer {
    if (this.pos + more > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.pos + more));
      this.#bytes.copy(larger, 0, 0, this.pos);
      this.#bytes = larger;
    }
    return this.#bytes;
  }

  /** @param value integer from 0 to 2^32 - 1 */
  varint32(value: number): void {
    const bytes = this.#reserve(5);
    let rest = value;
    while (rest > 0x7f) {
      bytes[this.pos++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[this.pos++] = rest;
  }

  /** @param value 32-bit integer; negative ones take ten bytes, as int32 and enums do */
  int32(value: number): void {
    if (value >= 0) this.varint32(value);
    else this.varint64(BigInt(value));
  }

  varint64(value: bigint): void {
    const bytes = this.#reserve(10);
    let low = Number(value & 0xffffffffn);
    let high = Number((value >> 32n) & 0xffffffffn);
    while (high > 0 || low > 0x7f) {
      bytes[this.pos++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    bytes[this.pos++] = low;
  }

  fixed32(value: number): void {
    this.pos = this.#reserve(4).writeInt32LE(value | 0, this.pos);
  }

  fixed64(value: bigint): void {
    this.pos = this.#reserve(8).writeBigUInt64LE(BigInt.asUintN(64, value), this.pos);
  }

  float(value: number): void {
    this.pos = this.#reserve(4).writeFloatLE(value, this.pos);
  }

  double(value: number): void {
    this.pos = this.#reserve(8).writeDoubleLE(value, this.pos);
  }

  /** Length and UTF-8 bytes. `text` must be well-formed. */
  string(text: string): void {
    if (text.length > 42) {
      const length = Buffer.byteLength(text);
      this.varint32(length);
      this.pos += this.#reserve(length).write(text, this.pos);
      return;
    }
    // At most three bytes a UTF-16 unit: the length fits in the one byte left free.
    const bytes = this.#reserve(1 + text.length * 3);
    const length = bytes.write(text, this.pos + 1);
    bytes[this.pos] = length;
    this.pos += 1 + length;
  }

  bytes(value: Uint8Array): void {
    this.varint32(value.length);
    this.#reserve(value.length).set(value, this.pos);
    this.pos += value.length;
  }

  /** Starts a length-delimited part; pass the returned mark to `close`. */
  open(): number {
    this.#reserve(1);
    return this.pos++;
  }

  close(mark: number): void {
    const length = this.pos - mark - 1;
    if (length < 0x80) {
      this.#bytes[mark] = length;
      return;
    }
    const extra = length < 0x4000 ? 1 : length < 0x200000 ? 2 : length < 0x10000000 ? 3 : 4;
    this.#reserve(extra).copyWithin(mark + 1 + extra, mark + 1, this.pos);
    const end = this.pos + extra;
    this.pos = mark;
    this.varint32(length);
    this.pos = end;
  }
}
