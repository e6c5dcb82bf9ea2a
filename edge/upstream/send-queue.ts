import { constants } from "node:http2";
import type { Socket } from "node:net";
import type { FrameWriter } from "./frame-writer.ts";
import { broken, ConnectionError, DEFAULT_FRAME_SIZE, DEFAULT_WINDOW, LARGEST_WINDOW } from "./frames.ts";
import type { Stream } from "./stream.ts";

/** Bytes waiting in the socket above which senders are asked to wait. */
const SOCKET_FULL_BYTES = 256 * 1024;

/** The bodies of requests on their way to the peer: as much as its windows have room for (RFC 9113 section 5.2). */
export class SendQueue {
  readonly #writer: FrameWriter;
  readonly #socket: Socket;
  /** Bytes the peer takes now, of all streams. */
  #window = DEFAULT_WINDOW;
  #streamWindow = DEFAULT_WINDOW;
  /** Streams with bytes that wait for room. */
  readonly #blocked = new Set<Stream>();

  constructor(writer: FrameWriter, socket: Socket) {
    this.#writer = writer;
    this.#socket = socket;
  }

  /** Bytes the peer takes of a new stream. */
  get streamWindow(): number {
    return this.#streamWindow;
  }

  /**
   * Sends a part of a stream's body, now or when there is room.
   * @returns false when the caller had better wait for `onRoom`
   */
  send(stream: Stream, chunk: Buffer, end: boolean): boolean {
    stream.ending = end;
    const room = Math.min(stream.sendWindow, this.#window, DEFAULT_FRAME_SIZE);
    if (chunk.length <= room && stream.waiting.length === 0)
      this.#sendPart(stream, chunk, 0, chunk.length, end);
    else {
      stream.waiting.push(chunk);
      this.#sendWaiting(stream);
    }
    if (stream.waiting.length === 0 && this.#socket.writableLength < SOCKET_FULL_BYTES) return true;
    this.#blocked.add(stream);
    return false;
  }

  /** There may be room now. */
  goOn(): void {
    for (const stream of [...this.#blocked]) this.#sendWaiting(stream);
  }

  /** The stream is over. */
  forget(stream: Stream): void {
    this.#blocked.delete(stream);
  }

  /**
   * The peer takes more of all streams.
   * @throws ConnectionError
   */
  grow(more: number): void {
    if (more === 0) throw broken("a window grows by nothing");
    this.#window += more;
    if (this.#window > LARGEST_WINDOW) throw tooLarge();
    this.goOn();
  }

  /**
   * The peer takes more of one stream.
   * @returns false when it may not say so
   */
  growStream(stream: Stream, more: number): boolean {
    stream.sendWindow += more;
    if (more === 0 || stream.sendWindow > LARGEST_WINDOW) return false;
    if (this.#blocked.has(stream)) this.#sendWaiting(stream);
    return true;
  }

  /**
   * The peer has set how much it takes of each stream (RFC 9113 section 6.9.2).
   * @throws ConnectionError
   */
  setStreamWindow(bytes: number, open: Iterable<Stream>): void {
    if (bytes > LARGEST_WINDOW) throw tooLarge();
    for (const stream of open) stream.sendWindow += bytes - this.#streamWindow;
    this.#streamWindow = bytes;
  }

  /** Sends what the windows have room for; the rest waits. */
  #sendWaiting(stream: Stream): void {
    const { waiting } = stream;
    while (waiting.length > 0) {
      const chunk = waiting[0]!;
      const room = Math.min(stream.sendWindow, this.#window, DEFAULT_FRAME_SIZE);
      const to = Math.min(chunk.length, stream.sent + Math.max(0, room));
      if (to === stream.sent && chunk.length > 0) break;
      const last = to === chunk.length && waiting.length === 1 && stream.ending;
      this.#sendPart(stream, chunk, stream.sent, to, last);
      stream.sent = to;
      if (to < chunk.length) continue;
      waiting.shift();
      stream.sent = 0;
    }
    if (waiting.length > 0 || this.#socket.writableLength >= SOCKET_FULL_BYTES) {
      this.#blocked.add(stream);
      return;
    }
    if (this.#blocked.delete(stream) && !stream.ending) stream.listener.onRoom();
  }

  #sendPart(stream: Stream, chunk: Buffer, from: number, to: number, last: boolean): void {
    this.#writer.data(stream.id, chunk, from, to, last);
    stream.sendWindow -= to - from;
    this.#window -= to - from;
    if (last) stream.ended = true;
  }
}

function tooLarge(): ConnectionError {
  return new ConnectionError(constants.NGHTTP2_FLOW_CONTROL_ERROR, "a window is too large");
}
