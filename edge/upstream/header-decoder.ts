import type { IncomingHttpHeaders } from "node:http2";
import { STATIC_TABLE } from "./hpack-tables.ts";
import { decodeHuffman } from "./huffman.ts";

/** Bytes an entry of the table counts besides its name and value (RFC 7541 section 4.1). */
const ENTRY_BYTES = 32;
/** Largest table the peer may use: what it may assume without being told (RFC 9113 section 6.5.2). */
const TABLE_BYTES = 4_096;
/** Largest list of headers taken, counted like the table. */
export const MAX_LIST_BYTES = 64 * 1024;

/** Sent once only; of several the first counts. All other repeated fields are one list. */
const SINGLE = new Set(["content-type", "etag", "expires", "last-modified", "location", "retry-after"]);

const NAME = /^:?[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** Stands for a name that is none. */
const NO_NAME = "";

const NO_PROTOTYPE = Object.freeze(Object.create(null));

/** Reads the header blocks of one connection (HPACK, RFC 7541); each block may depend on all before. */
export class HeaderDecoder {
  /** The dynamic table, oldest first, from `#first` on. */
  #names: string[] = [];
  #values: string[] = [];
  #first = 0;
  #bytes = 0;
  #mostBytes = TABLE_BYTES;
  #pos = 0;
  #block: Buffer = Buffer.alloc(0);
  /** Whether the last block had a field whose name is none: its stream is malformed (RFC 9113 section 8.1.1). */
  malformed = false;

  /**
   * Header fields of a block, `:status` as a number.
   * @throws Error when the block makes no sense or is too large; the connection is then of no more use
   */
  decode(block: Buffer): IncomingHttpHeaders & { ":status"?: number } {
    const headers: IncomingHttpHeaders = Object.create(NO_PROTOTYPE);
    this.#block = block;
    this.#pos = 0;
    this.malformed = false;
    let listBytes = 0;
    let begun = false;
    while (this.#pos < block.length) {
      const first = block[this.#pos]!;
      let name: string;
      let value: string;
      if (first >= 0x80) {
        const index = this.#integer(0x7f);
        name = this.#nameAt(index);
        value = this.#valueAt(index);
      } else if (first >= 0x20 && first < 0x40) {
        if (begun) throw new Error("the header table is resized within a block");
        this.#resize(this.#integer(0x1f));
        continue;
      } else {
        const added = first >= 0x40;
        const index = this.#integer(added ? 0x3f : 0x0f);
        name = index === 0 ? this.#name() : this.#nameAt(index);
        value = this.#string();
        if (added) this.#add(name, value);
      }
      begun = true;
      listBytes += name.length + value.length + ENTRY_BYTES;
      if (listBytes > MAX_LIST_BYTES) throw new Error("the headers are too large");
      if (name === NO_NAME) this.malformed = true;
      else append(headers, name, value);
    }
    return headers;
  }

  /** An integer whose first byte has a prefix with this mask (RFC 7541 section 5.1). */
  #integer(mask: number): number {
    const value = this.#block[this.#pos++]! & mask;
    return value < mask ? value : mask + this.#integerRest();
  }

  #integerRest(): number {
    let value = 0;
    // Four bytes are more than anything here may be.
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#block[this.#pos++];
      if (byte === undefined) break;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new Error("an integer in the headers is too large or cut off");
  }

  #string(): string {
    const first = this.#block[this.#pos];
    if (first === undefined) throw new Error("a header is cut off");
    const length = this.#integer(0x7f);
    const start = this.#pos;
    const end = start + length;
    if (end > this.#block.length) throw new Error("a header is cut off");
    this.#pos = end;
    return first >= 0x80
      ? decodeHuffman(this.#block, start, end)
      : this.#block.toString("latin1", start, end);
  }

  #name(): string {
    const name = this.#string();
    return NAME.test(name) ? name : NO_NAME;
  }

  #nameAt(index: number): string {
    return index <= STATIC_TABLE.length && index > 0
      ? STATIC_TABLE[index - 1]![0]
      : this.#names[this.#dynamic(index)]!;
  }

  #valueAt(index: number): string {
    return index <= STATIC_TABLE.length ? STATIC_TABLE[index - 1]![1] : this.#values[this.#dynamic(index)]!;
  }

  #dynamic(index: number): number {
    const at = this.#names.length - (index - STATIC_TABLE.length);
    if (index === 0 || at < this.#first) throw new Error("a header refers to nothing");
    return at;
  }

  #add(name: string, value: string): void {
    const bytes = name.length + value.length + ENTRY_BYTES;
    this.#evict(this.#mostBytes - bytes);
    // One that does not fit only empties the table (RFC 7541 section 4.4).
    if (bytes > this.#mostBytes) return;
    this.#names.push(name);
    this.#values.push(value);
    this.#bytes += bytes;
  }

  #resize(bytes: number): void {
    if (bytes > TABLE_BYTES) throw new Error("the header table would be too large");
    this.#mostBytes = bytes;
    this.#evict(bytes);
  }

  #evict(bytes: number): void {
    while (this.#bytes > bytes && this.#first < this.#names.length) {
      const i = this.#first++;
      this.#bytes -= this.#names[i]!.length + this.#values[i]!.length + ENTRY_BYTES;
    }
    // What is evicted leaves the arrays now and then, all at once.
    if (this.#first < TABLE_BYTES / ENTRY_BYTES) return;
    this.#names.splice(0, this.#first);
    this.#values.splice(0, this.#first);
    this.#first = 0;
  }
}

function append(headers: IncomingHttpHeaders & { ":status"?: number }, name: string, value: string): void {
  const before = headers[name];
  if (name === ":status") headers[":status"] = Number(value);
  else if (name === "set-cookie") headers["set-cookie"] = before ? [...(before as string[]), value] : [value];
  else if (before === undefined) headers[name] = value;
  else if (!SINGLE.has(name)) headers[name] = `${before as string}, ${value}`;
}
