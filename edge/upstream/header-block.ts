/**
 * Header blocks of requests (HPACK, RFC 7541), as text whose characters are bytes. Every field is a literal that
 * leaves the table alone: a connection carries the calls of many users, whose tokens and ids would push each
 * other out of a table of 4 kB. What never changes is put together once.
 */
import type { OutgoingHttpHeaders } from "node:http2";
import { STATIC_TABLE } from "./hpack-tables.ts";

/** Starts the first block of a connection: from now on there is no table. */
export const NO_TABLE = "\x20";

/** A literal for which no proxy on the way may use a table either (RFC 7541 section 7.1.3). */
const NEVER_INDEXED = 0x10;
const SECRET = new Set(["authorization", "cookie"]);
const NAME = /^:?[0-9a-z_.-]+$/;

const indexOfName = new Map<string, number>();
for (const [i, [name]] of STATIC_TABLE.entries()) if (!indexOfName.has(name)) indexOfName.set(name, i + 1);

/** Field names in their written form. Bounded, since clients choose names. */
const knownNames = new Map<string, string>();
const MOST_KNOWN = 500;

/** One header field. `value` must be free of control characters and of characters above U+00FF. */
export function headerField(name: string, value: string): string {
  const { length } = value;
  const start = knownNames.get(name) ?? writtenName(name);
  return length < 0x7f ? start + SHORT_LENGTHS[length] + value : start + integer(0, 0x7f, length) + value;
}

const SHORT_LENGTHS = Array.from({ length: 0x7f }, (_, length) => String.fromCharCode(length));

/**
 * Every field of metadata.
 * @throws Error for a name that HTTP/2 does not have
 */
export function headerFields(metadata: OutgoingHttpHeaders): string {
  let block = "";
  for (const name in metadata) {
    const value = metadata[name];
    if (typeof value === "string") block += headerField(name, value);
    else if (Array.isArray(value)) for (const one of value) block += headerField(name, one);
    else if (value !== undefined) block += headerField(name, String(value));
  }
  return block;
}

function writtenName(name: string): string {
  if (!NAME.test(name)) throw new Error(`"${name}" is no name of a header`);
  const index = indexOfName.get(name) ?? 0;
  const flag = SECRET.has(name) ? NEVER_INDEXED : 0;
  const written = integer(flag, 0x0f, index) + (index === 0 ? integer(0, 0x7f, name.length) + name : "");
  if (knownNames.size < MOST_KNOWN && name.length < 100) knownNames.set(name, written);
  return written;
}

/** An integer behind the bits of `flags` (RFC 7541 section 5.1). */
function integer(flags: number, mask: number, value: number): string {
  if (value < mask) return String.fromCharCode(flags | value);
  let text = String.fromCharCode(flags | mask);
  let rest = value - mask;
  for (; rest > 0x7f; rest >>>= 7) text += String.fromCharCode((rest & 0x7f) | 0x80);
  return text + String.fromCharCode(rest);
}
