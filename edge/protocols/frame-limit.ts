import { Code, StatusError } from "../transcode/status.ts";

const HEADER_BYTES = 5;

/** Watches the sizes of messages in gRPC framing that pass through, without holding them. */
export class FrameLimit {
  readonly #limit: number;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  /** Bytes of the next message's header seen so far. */
  #seen = 0;
  /** Bytes of the current message still to come. */
  #left = 0;

  /** @param limit largest message in bytes, as it is sent */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * @returns the chunk
   * @throws StatusError RESOURCE_EXHAUSTED as soon as the header of a message that is too large has come
   */
  pass(chunk: Buffer): Buffer {
    let at = 0;
    while (at < chunk.length) {
      const skipped = Math.min(this.#left, chunk.length - at);
      at += skipped;
      this.#left -= skipped;
      const copied = chunk.copy(this.#header, this.#seen, at, at + HEADER_BYTES - this.#seen);
      at += copied;
      this.#seen += copied;
      if (this.#seen < HEADER_BYTES) break;
      this.#seen = 0;
      this.#left = this.#header.readUInt32BE(1);
      if (this.#left > this.#limit)
        throw new StatusError(Code.resourceExhausted, `a message is larger than ${this.#limit} bytes`);
    }
    return chunk;
  }
}
