import { constants } from "node:http2";
import { ConnectionError, DEFAULT_FRAME_SIZE, FRAME_HEADER_BYTES } from "./frames.ts";

/**
 * Takes one frame; its payload is what `bytes` has from `start` to `end`.
 * @returns false to hear of no more frames
 */
export type OnFrame = (
  type: number,
  flags: number,
  streamId: number,
  bytes: Buffer,
  start: number,
  end: number,
) => boolean;

/** Cuts what comes from a peer into frames, without copying those that come in one piece. */
export class FrameReader {
  readonly #onFrame: OnFrame;
  #parts: Buffer[] = [];
  #size = 0;
  /** Bytes that must be there before another look is worth while. */
  #wanted = FRAME_HEADER_BYTES;

  constructor(onFrame: OnFrame) {
    this.#onFrame = onFrame;
  }

  /** @throws ConnectionError when a frame is larger than it may be */
  push(chunk: Buffer): void {
    let bytes = chunk;
    if (this.#size > 0) {
      this.#parts.push(chunk);
      this.#size += chunk.length;
      if (this.#size < this.#wanted) return;
      bytes = Buffer.concat(this.#parts, this.#size);
      this.#parts = [];
      this.#size = 0;
    }
    let pos = 0;
    this.#wanted = FRAME_HEADER_BYTES;
    while (bytes.length - pos >= FRAME_HEADER_BYTES) {
      const length = (bytes[pos]! << 16) | (bytes[pos + 1]! << 8) | bytes[pos + 2]!;
      if (length > DEFAULT_FRAME_SIZE)
        throw new ConnectionError(constants.NGHTTP2_FRAME_SIZE_ERROR, "a frame is too large");
      const start = pos + FRAME_HEADER_BYTES;
      const end = start + length;
      if (end > bytes.length) {
        this.#wanted = end - pos;
        break;
      }
      const id = bytes.readUInt32BE(pos + 5) & 0x7fffffff;
      if (!this.#onFrame(bytes[pos + 3]!, bytes[pos + 4]!, id, bytes, start, end)) return;
      pos = end;
    }
    if (pos === bytes.length) return;
    this.#parts.push(pos === 0 ? bytes : bytes.subarray(pos));
    this.#size = bytes.length - pos;
  }
}
