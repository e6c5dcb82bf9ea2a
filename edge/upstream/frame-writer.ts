import type { Socket } from "node:net";
import { DEFAULT_FRAME_SIZE, Flag, FRAME_HEADER_BYTES, Frame } from "./frames.ts";

const BUFFER_BYTES = 32 * 1024;
/** So much does not wait for the end of the turn. */
const FULL_BYTES = 256 * 1024;

/**
 * Writes frames to a socket: all of one turn of the event loop, of whatever stream, in one write. A system call
 * for each costs more than making the frames.
 */
export class FrameWriter {
  readonly #socket: Socket;
  #bytes = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #used = 0;
  readonly #flush = (): void => this.flush();

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Bytes as they are. */
  raw(bytes: Buffer): void {
    const at = this.#reserve(bytes.length);
    bytes.copy(this.#bytes, at);
  }

  frame(type: number, flags: number, streamId: number, payload: Buffer): void {
    const at = this.#open(payload.length, type, flags, streamId);
    payload.copy(this.#bytes, at);
  }

  /** @param block a header block, a character for each byte */
  headers(streamId: number, block: string): void {
    if (block.length <= DEFAULT_FRAME_SIZE) {
      const at = this.#open(block.length, Frame.headers, Flag.endHeaders, streamId);
      this.#bytes.write(block, at, "latin1");
      return;
    }
    for (let from = 0; from < block.length; from += DEFAULT_FRAME_SIZE) {
      const part = block.slice(from, from + DEFAULT_FRAME_SIZE);
      const last = from + DEFAULT_FRAME_SIZE >= block.length ? Flag.endHeaders : 0;
      const at = this.#open(part.length, from === 0 ? Frame.headers : Frame.continuation, last, streamId);
      this.#bytes.write(part, at, "latin1");
    }
  }

  /** What `chunk` has from `from` to `to`, in one frame. */
  data(streamId: number, chunk: Buffer, from: number, to: number, endStream: boolean): void {
    const at = this.#open(to - from, Frame.data, endStream ? Flag.endStream : 0, streamId);
    chunk.copy(this.#bytes, at, from, to);
    if (this.#used > FULL_BYTES) this.flush();
  }

  /** A frame whose payload is one number of four bytes: RST_STREAM, WINDOW_UPDATE. */
  number(type: number, streamId: number, value: number): void {
    const at = this.#open(4, type, 0, streamId);
    this.#bytes.writeUInt32BE(value, at);
  }

  /** Sends what waits. Happens by itself at the end of the turn. */
  flush(): void {
    if (this.#used === 0) return;
    this.#socket.write(this.#bytes.subarray(0, this.#used));
    this.#used = 0;
    // Unless the kernel has taken it all, the socket still needs these bytes.
    if (this.#socket.writableLength > 0 || this.#bytes.length > BUFFER_BYTES)
      this.#bytes = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }

  #open(length: number, type: number, flags: number, streamId: number): number {
    const at = this.#reserve(FRAME_HEADER_BYTES + length);
    const bytes = this.#bytes;
    bytes[at] = length >>> 16;
    bytes[at + 1] = length >>> 8;
    bytes[at + 2] = length;
    bytes[at + 3] = type;
    bytes[at + 4] = flags;
    bytes.writeUInt32BE(streamId, at + 5);
    return at + FRAME_HEADER_BYTES;
  }

  /** Makes room; returns where it starts. */
  #reserve(more: number): number {
    if (this.#used === 0) setImmediate(this.#flush);
    const at = this.#used;
    this.#used += more;
    if (this.#used > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#used));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    return at;
  }
}
