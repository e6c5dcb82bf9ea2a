import type { IncomingHttpHeaders } from "node:http2";
import type { Connection } from "./connection.ts";

/** Why a stream ended before its response was complete. */
export interface StreamFailure {
  /** Error code of HTTP/2 (RFC 9113 section 7). */
  readonly code: number;
  /** Set where the whole connection is gone. */
  readonly connectionLost: Error | undefined;
  /** No connection came about: the peer has seen nothing. */
  readonly unreachable: boolean;
  /** The peer says that it has not looked at the request, which may be sent again (RFC 9113 section 8.7). */
  readonly unprocessed: boolean;
}

/** Who hears of a response. After `onComplete` or `onFailure`, which come once, nothing more comes. */
export interface StreamListener {
  /** The headers of the response, then its trailers. Responses with status 1xx are left out. */
  onFields(headers: IncomingHttpHeaders & { ":status"?: number }): void;
  onData(chunk: Buffer): void;
  /** The peer has sent everything. */
  onComplete(): void;
  onFailure(failure: StreamFailure): void;
  /** There is room again after a `write` that returned false. */
  onRoom(): void;
}

/** A request and its response on a connection, with its share of flow control. */
export class Stream {
  readonly id: number;
  readonly listener: StreamListener;
  readonly #connection: Connection;
  /** Bytes the peer takes now. */
  sendWindow: number;
  /** Bytes the peer may send now. */
  receiveWindow: number;
  /** Bytes to send that wait for room in a window. */
  readonly waiting: Buffer[] = [];
  /** How much of the first of them is sent. */
  sent = 0;
  /** The last bytes are known. */
  ending = false;
  /** They are sent. */
  ended = false;
  /** The headers of the response are there. */
  answered = false;
  #paused = false;
  /** What came while paused. */
  #held: Buffer[] = [];
  #heldFields: IncomingHttpHeaders | undefined;
  #heldEnd = false;

  constructor(
    id: number,
    listener: StreamListener,
    connection: Connection,
    windows: { send: number; receive: number },
  ) {
    this.id = id;
    this.listener = listener;
    this.#connection = connection;
    this.sendWindow = windows.send;
    this.receiveWindow = windows.receive;
  }

  /**
   * Sends a part of the request's body.
   * @param end it is the last one
   * @returns false when the caller had better wait for `onRoom`
   */
  write(chunk: Buffer, end: boolean): boolean {
    return this.#connection.send(this, chunk, end);
  }

  /** Ends the stream on both sides; the listener hears no more. */
  reset(code: number): void {
    this.#connection.reset(this, code);
  }

  /** Until `resume`, what comes is held back, up to the stream's window. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    const held = this.#held;
    this.#held = [];
    for (const [i, chunk] of held.entries()) {
      if (this.#paused) {
        // Paused again by what it got.
        this.#held.unshift(...held.slice(i));
        return;
      }
      this.#deliver(chunk);
    }
    if (this.#paused) return;
    const fields = this.#heldFields;
    this.#heldFields = undefined;
    if (fields) this.listener.onFields(fields);
    if (this.#heldEnd) this.listener.onComplete();
  }

  get #isHolding(): boolean {
    return this.#paused || this.#held.length > 0;
  }

  takeFields(headers: IncomingHttpHeaders): void {
    if (this.#isHolding) this.#heldFields = headers;
    else this.listener.onFields(headers);
  }

  takeData(chunk: Buffer): void {
    if (this.#isHolding) this.#held.push(chunk);
    else this.#deliver(chunk);
  }

  takeEnd(): void {
    if (this.#isHolding) this.#heldEnd = true;
    else this.listener.onComplete();
  }

  #deliver(chunk: Buffer): void {
    this.#connection.consumed(this);
    this.listener.onData(chunk);
  }
}
