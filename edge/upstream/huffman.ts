import { HUFFMAN_BITS } from "./hpack-tables.ts";

const END_OF_STRING = 256;
/** Longest padding after the last symbol, in bits: less than a byte (RFC 7541 section 5.2). */
const MOST_PADDING = 7;

/**
 * The code as a tree: node n has its children at 2n and 2n + 1, one for each bit. What stands there is another
 * node or, below zero, a symbol: its complement.
 */
const tree = buildTree();

function buildTree(): Int16Array {
  const symbols = HUFFMAN_BITS.map((bits, symbol) => ({ bits, symbol }));
  symbols.sort((a, b) => a.bits - b.bits || a.symbol - b.symbol);
  // A tree with n leaves has n - 1 nodes.
  const nodes = new Int16Array(2 * (symbols.length - 1));
  let used = 1;
  let code = 0;
  let length = 0;
  for (const { bits, symbol } of symbols) {
    code *= 2 ** (bits - length);
    length = bits;
    let node = 0;
    for (let bit = bits - 1; bit > 0; bit--) {
      const at = 2 * node + ((code >>> bit) & 1);
      if (nodes[at] === 0) nodes[at] = used++;
      node = nodes[at]!;
    }
    nodes[2 * node + (code & 1)] = ~symbol;
    code++;
  }
  return nodes;
}

/**
 * Text of a string in HPACK's Huffman code, a character for each byte.
 * @throws Error for what is no such string
 */
export function decodeHuffman(bytes: Buffer, start: number, end: number): string {
  let text = "";
  let node = 0;
  /** Bits since the last symbol, and whether they are all ones, as padding must be. */
  let pending = 0;
  let ones = true;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    for (let shift = 7; shift >= 0; shift--) {
      const bit = (byte >>> shift) & 1;
      const next = tree[2 * node + bit]!;
      pending++;
      if (bit === 0) ones = false;
      if (next >= 0) {
        node = next;
        continue;
      }
      if (~next === END_OF_STRING) throw new Error("a Huffman string contains its end");
      text += String.fromCharCode(~next);
      node = 0;
      pending = 0;
      ones = true;
    }
  }
  if (pending > MOST_PADDING || !ones) throw new Error("a Huffman string ends within a symbol");
  return text;
}
