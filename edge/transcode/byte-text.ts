/**
 * Text in bytes: a string whose characters are the bytes of a text in UTF-8. Replies are put together in this
 * form: what came from the wire is neither decoded nor encoded again, the string's length is the
 * Content-Length, and the engine writes it out (as "latin1") without looking at it.
 */

/** A text in bytes; ASCII stays as it is. */
export function toBytes(text: string): string {
  return /^[\0-\x7f]*$/.test(text) ? text : Buffer.from(text).toString("latin1");
}

/** The text that a string in bytes stands for. */
export function fromBytes(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString();
}

/**
 * Length of the UTF-8 sequence of a character that is not ASCII; 0 where the bytes are none (Unicode, table 3-7:
 * no overlong forms, no surrogates, nothing above U+10FFFF).
 */
export function sequenceLength(bytes: Buffer, at: number, end: number): number {
  const lead = bytes[at]!;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (at + length > end) return 0;
  const second = bytes[at + 1]!;
  const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < least || second > most) return 0;
  for (let i = at + 2; i < at + length; i++) if ((bytes[i]! & 0xc0) !== 0x80) return 0;
  return length;
}
