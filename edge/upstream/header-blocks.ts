import { constants } from "node:http2";
import { broken, ConnectionError, Flag } from "./frames.ts";
import { HeaderDecoder, MAX_LIST_BYTES } from "./header-decoder.ts";

/** Largest header block, and most frames it may be cut into. */
const MAX_BLOCK_BYTES = 2 * MAX_LIST_BYTES;
const MAX_BLOCK_PARTS = 32;

export type Headers = ReturnType<HeaderDecoder["decode"]>;
/** @param malformed the headers break a rule of HTTP/2 (RFC 9113 section 8.2) */
export type OnHeaders = (id: number, headers: Headers, malformed: boolean, endStream: boolean) => void;

/** Puts header blocks together from their frames and decodes them, in the order in which they come. */
export class HeaderBlocks {
  readonly #decoder = new HeaderDecoder();
  readonly #onHeaders: OnHeaders;
  /** A block that comes in several frames. */
  #open: { streamId: number; endStream: boolean; parts: Buffer[]; bytes: number } | undefined;

  constructor(onHeaders: OnHeaders) {
    this.#onHeaders = onHeaders;
  }

  /** Stream of a block that is not complete: only its next part may come now; 0 when there is none. */
  get openStream(): number {
    return this.#open?.streamId ?? 0;
  }

  /**
   * A HEADERS frame, whose payload is what `bytes` has from `start` to `end`.
   * @throws ConnectionError
   */
  begin(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    let from = start;
    let to = end;
    if (flags & Flag.padded) to -= bytes[from++]!;
    if (flags & Flag.priority) from += 5;
    if (from > to) throw broken("a frame is all padding");
    const endStream = (flags & Flag.endStream) !== 0;
    const part = bytes.subarray(from, to);
    if (flags & Flag.endHeaders) return this.#complete(id, part, endStream);
    this.#open = { streamId: id, endStream, parts: [part], bytes: part.length };
  }

  /**
   * A CONTINUATION frame.
   * @throws ConnectionError
   */
  goOn(flags: number, part: Buffer): void {
    const block = this.#open;
    if (!block) throw broken("a header block has no beginning");
    block.parts.push(part);
    block.bytes += part.length;
    if (block.bytes > MAX_BLOCK_BYTES || block.parts.length > MAX_BLOCK_PARTS)
      throw broken("a header block is too large");
    if (!(flags & Flag.endHeaders)) return;
    this.#open = undefined;
    this.#complete(block.streamId, Buffer.concat(block.parts), block.endStream);
  }

  /** Also for streams that nobody waits for: later blocks depend on what is decoded here. */
  #complete(id: number, block: Buffer, endStream: boolean): void {
    let headers: Headers;
    try {
      headers = this.#decoder.decode(block);
    } catch (error) {
      throw new ConnectionError(constants.NGHTTP2_COMPRESSION_ERROR, (error as Error).message);
    }
    this.#onHeaders(id, headers, this.#decoder.malformed, endStream);
  }
}
