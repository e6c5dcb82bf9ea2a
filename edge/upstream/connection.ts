import { constants } from "node:http2";
import type { Socket } from "node:net";
import type tls from "node:tls";
import { Liveness } from "#mesh/runtime/rpc/liveness.ts";
import { FrameReader } from "./frame-reader.ts";
import { FrameWriter } from "./frame-writer.ts";
import {
  broken,
  ConnectionError,
  DEFAULT_FRAME_SIZE,
  DEFAULT_WINDOW,
  Flag,
  Frame,
  LARGEST_WINDOW,
  Setting,
} from "./frames.ts";
import { NO_TABLE } from "./header-block.ts";
import { HeaderBlocks, type Headers } from "./header-blocks.ts";
import { MAX_LIST_BYTES } from "./header-decoder.ts";
import { openSocket } from "./open-socket.ts";
import { SendQueue } from "./send-queue.ts";
import { Stream, type StreamListener } from "./stream.ts";

const {
  NGHTTP2_NO_ERROR,
  NGHTTP2_PROTOCOL_ERROR,
  NGHTTP2_FLOW_CONTROL_ERROR,
  NGHTTP2_FRAME_SIZE_ERROR,
  NGHTTP2_REFUSED_STREAM,
} = constants;

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const LAST_STREAM_ID = 2 ** 31 - 1;
/** PING and SETTINGS frames a peer may have answered in one read. */
const MAX_ANSWERS_PER_READ = 1_000;

export interface ConnectionOptions {
  /** Milliseconds the connection may take to be established. */
  readonly connectTimeoutMs: number;
  /** Milliseconds between pings while streams are open; a peer that does not answer within this time, or 5 s, is dead. */
  readonly pingIntervalMs: number;
  /** Bytes a stream may receive ahead of its reader. */
  readonly streamWindowBytes: number;
  /** Bytes all streams may receive before the peer hears that they were taken. */
  readonly connectionWindowBytes: number;
  /** For https upstreams, e.g. `ca`, `cert`, `key`. */
  readonly tls?: tls.ConnectionOptions | undefined;
}

/** Who hears of a connection as a whole. */
export interface ConnectionListener {
  /** A stream is over. */
  onRelease(): void;
  onClose(): void;
}

/**
 * The client's side of an HTTP/2 connection (RFC 9113), as far as gRPC needs it: no push, no priorities, no
 * upgrade. Written out because node:http2 makes of each stream a Duplex with its events, which costs several
 * times what the frames of a call cost.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #writer: FrameWriter;
  readonly #reader = new FrameReader(this.#onFrame.bind(this));
  readonly #headers = new HeaderBlocks(this.#onResponse.bind(this));
  readonly #sending: SendQueue;
  readonly #liveness: Liveness;
  readonly #options: ConnectionOptions;
  readonly #listener: ConnectionListener;
  readonly #streams = new Map<number, Stream>();
  #nextId = 1;
  /** Bytes received of which the peer has not heard that they were taken. */
  #taken = 0;
  #maxStreams = Number.POSITIVE_INFINITY;
  #draining = false;
  #closed = false;
  #lost: Error | undefined;
  #established = false;
  #gotSettings = false;
  #answers = 0;
  readonly #connecting: NodeJS.Timeout;

  constructor(url: URL, options: ConnectionOptions, listener: ConnectionListener) {
    this.#options = options;
    this.#listener = listener;
    this.#socket = openSocket(url, options.tls);
    this.#writer = new FrameWriter(this.#socket);
    this.#sending = new SendQueue(this.#writer, this.#socket);
    this.#liveness = new Liveness({
      intervalMs: options.pingIntervalMs,
      isBusy: () => this.#streams.size > 0 && !this.#socket.connecting,
      ping: () => this.#writer.frame(Frame.ping, 0, 0, Buffer.alloc(8)),
      onLost: () => this.destroy(new Error("the peer does not answer pings")),
    });
    this.#connecting = setTimeout(
      () => this.destroy(new Error("connecting took too long")),
      options.connectTimeoutMs,
    );
    this.#socket.on(url.protocol === "https:" ? "secureConnect" : "connect", () => this.#connected());
    this.#socket.on("data", (chunk: Buffer) => this.#read(chunk));
    this.#socket.on("drain", () => this.#sending.goOn());
    this.#socket.on("end", () => this.destroy(new Error("the peer has closed the connection")));
    this.#socket.on("error", (error) => this.destroy(error));
    this.#socket.on("close", () => this.destroy(new Error("the connection is closed")));
    this.#begin();
  }

  /** Whether no new streams may be opened here: the peer is going away, or the connection is over. */
  get isDraining(): boolean {
    return this.#draining || this.#closed;
  }

  /** Open streams. */
  get load(): number {
    return this.#streams.size;
  }

  /** Streams the peer takes at once. */
  get maxStreams(): number {
    return this.#maxStreams;
  }

  /**
   * Sends the headers of a request.
   * @param block see header-block.ts
   */
  open(block: string, listener: StreamListener): Stream {
    const id = this.#nextId;
    this.#nextId += 2;
    if (this.#nextId > LAST_STREAM_ID) this.#draining = true;
    const windows = { send: this.#sending.streamWindow, receive: this.#options.streamWindowBytes };
    const stream = new Stream(id, listener, this, windows);
    this.#streams.set(id, stream);
    this.#writer.headers(id, id === 1 ? NO_TABLE + block : block);
    if (this.#streams.size === 1) this.#inUse();
    return stream;
  }

  /** See `Stream.write`. */
  send(stream: Stream, chunk: Buffer, end: boolean): boolean {
    if (stream.ending || !this.#streams.has(stream.id)) return true;
    return this.#sending.send(stream, chunk, end);
  }

  reset(stream: Stream, code: number): void {
    if (!this.#release(stream)) return;
    this.#writer.number(Frame.resetStream, stream.id, code);
    if (this.#liveness.gaveUp()) this.close();
  }

  /** A stream's reader has taken what came; the peer may send as much again. */
  consumed(stream: Stream): void {
    const { streamWindowBytes } = this.#options;
    if (stream.receiveWindow > streamWindowBytes / 2 || !this.#streams.has(stream.id)) return;
    this.#writer.number(Frame.windowUpdate, stream.id, streamWindowBytes - stream.receiveWindow);
    stream.receiveWindow = streamWindowBytes;
  }

  /** Ends the connection as soon as its streams have ended. */
  close(): void {
    this.#draining = true;
    if (this.#streams.size === 0) this.#end(NGHTTP2_NO_ERROR);
  }

  /** Ends the connection and fails its streams. */
  destroy(reason: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#lost = reason;
    clearTimeout(this.#connecting);
    this.#liveness.stop();
    this.#socket.destroy();
    for (const stream of [...this.#streams.values()]) this.#fail(stream, NGHTTP2_NO_ERROR, false);
    this.#listener.onClose();
  }

  #begin(): void {
    const { streamWindowBytes, connectionWindowBytes } = this.#options;
    this.#writer.raw(PREFACE);
    const settings: [number, number][] = [
      [Setting.enablePush, 0],
      [Setting.initialWindowSize, streamWindowBytes],
      [Setting.maxHeaderListSize, MAX_LIST_BYTES],
    ];
    const payload = Buffer.alloc(6 * settings.length);
    for (const [i, [setting, value]] of settings.entries()) {
      payload.writeUInt16BE(setting, 6 * i);
      payload.writeUInt32BE(value, 6 * i + 2);
    }
    this.#writer.frame(Frame.settings, 0, 0, payload);
    this.#writer.number(Frame.windowUpdate, 0, connectionWindowBytes - DEFAULT_WINDOW);
  }

  #connected(): void {
    clearTimeout(this.#connecting);
    this.#established = true;
    const { alpnProtocol } = this.#socket as tls.TLSSocket;
    if (alpnProtocol !== undefined && alpnProtocol !== "h2")
      this.destroy(new Error("the peer does not speak HTTP/2"));
  }

  #inUse(): void {
    this.#socket.ref();
    this.#liveness.start();
  }

  #read(chunk: Buffer): void {
    if (this.#closed) return;
    this.#answers = 0;
    this.#liveness.heard();
    try {
      this.#reader.push(chunk);
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      this.#end(error.code, error);
    }
  }

  /** Tells the peer why, and ends. */
  #end(code: number, reason: Error = new Error("the connection is not needed")): void {
    if (this.#closed) return;
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(code, 4);
    this.#writer.frame(Frame.goAway, 0, 0, payload);
    this.#writer.flush();
    this.#socket.end();
    this.destroy(reason);
  }

  #onFrame(type: number, flags: number, id: number, bytes: Buffer, start: number, end: number): boolean {
    if (!this.#gotSettings && type !== Frame.settings)
      throw broken("the peer does not begin with its settings");
    const { openStream } = this.#headers;
    if (openStream !== 0 && (type !== Frame.continuation || id !== openStream))
      throw broken("a header block is interrupted");
    switch (type) {
      case Frame.data:
        this.#onData(flags, id, bytes, start, end);
        break;
      case Frame.headers:
        this.#headers.begin(flags, id, bytes, start, end);
        break;
      case Frame.continuation:
        this.#headers.goOn(flags, bytes.subarray(start, end));
        break;
      case Frame.resetStream:
        requireSize(end - start === 4);
        this.#onReset(id, bytes.readUInt32BE(start));
        break;
      case Frame.settings:
        this.#onSettings(flags, id, bytes.subarray(start, end));
        break;
      case Frame.pushPromise:
        throw broken("push is switched off");
      case Frame.ping:
        this.#onPing(flags, id, bytes.subarray(start, end));
        break;
      case Frame.goAway:
        requireSize(end - start >= 8);
        this.#onGoAway(bytes.readUInt32BE(start) & LARGEST_WINDOW);
        break;
      case Frame.windowUpdate:
        requireSize(end - start === 4);
        this.#onWindowUpdate(id, bytes.readUInt32BE(start) & LARGEST_WINDOW);
        break;
      // Frames of unknown type mean nothing (RFC 9113 section 5.5).
    }
    return !this.#closed;
  }

  #onData(flags: number, id: number, bytes: Buffer, start: number, end: number): void {
    this.#taken += end - start;
    if (this.#taken > this.#options.connectionWindowBytes / 2) {
      this.#writer.number(Frame.windowUpdate, 0, this.#taken);
      this.#taken = 0;
    }
    const stream = this.#find(id);
    if (!stream) return;
    if (!stream.answered) return this.#break(stream);
    stream.receiveWindow -= end - start;
    if (stream.receiveWindow < 0)
      throw new ConnectionError(NGHTTP2_FLOW_CONTROL_ERROR, "the peer has sent more than it may");
    let from = start;
    let to = end;
    if (flags & Flag.padded) {
      from++;
      to -= bytes[start]!;
      if (from > to) throw broken("a frame is all padding");
    }
    if (from < to) stream.takeData(bytes.subarray(from, to));
    if (flags & Flag.endStream) this.#complete(stream);
  }

  #onResponse(id: number, headers: Headers, malformed: boolean, endStream: boolean): void {
    const stream = this.#find(id);
    if (!stream) return;
    const status = headers[":status"];
    if (!stream.answered) {
      if (malformed || status === undefined) return this.#break(stream);
      if (status < 200) return endStream ? this.#break(stream) : undefined;
      stream.answered = true;
    } else if (malformed || status !== undefined || !endStream) return this.#break(stream);
    stream.takeFields(headers);
    if (endStream) this.#complete(stream);
  }

  #onReset(id: number, code: number): void {
    const stream = this.#find(id);
    if (stream) this.#fail(stream, code, code === NGHTTP2_REFUSED_STREAM);
  }

  #onSettings(flags: number, id: number, payload: Buffer): void {
    if (id !== 0) throw broken("settings belong to no stream");
    if (flags & Flag.ack) {
      requireSize(payload.length === 0);
      return;
    }
    requireSize(payload.length % 6 === 0);
    this.#gotSettings = true;
    for (let at = 0; at < payload.length; at += 6)
      this.#onSetting(payload.readUInt16BE(at), payload.readUInt32BE(at + 2));
    this.#answer(Frame.settings, Buffer.alloc(0));
    this.#sending.goOn();
  }

  #onSetting(setting: number, value: number): void {
    if (setting === Setting.maxConcurrentStreams) this.#maxStreams = value;
    else if (setting === Setting.maxFrameSize) {
      if (value < DEFAULT_FRAME_SIZE || value > 2 ** 24 - 1) throw broken("a setting is out of range");
      // Larger frames save next to nothing.
    } else if (setting === Setting.initialWindowSize) {
      this.#sending.setStreamWindow(value, this.#streams.values());
    }
  }

  #onPing(flags: number, id: number, payload: Buffer): void {
    if (id !== 0) throw broken("a ping belongs to no stream");
    requireSize(payload.length === 8);
    if (flags & Flag.ack) this.#liveness.answered();
    else this.#answer(Frame.ping, payload);
  }

  #answer(type: number, payload: Buffer): void {
    if (++this.#answers > MAX_ANSWERS_PER_READ) throw broken("the peer asks too much");
    this.#writer.frame(type, Flag.ack, 0, payload);
  }

  #onGoAway(lastId: number): void {
    this.#draining = true;
    for (const stream of [...this.#streams.values()])
      if (stream.id > lastId) this.#fail(stream, NGHTTP2_REFUSED_STREAM, true);
    if (this.#streams.size === 0) this.close();
  }

  #onWindowUpdate(id: number, more: number): void {
    if (id === 0) return this.#sending.grow(more);
    const stream = this.#find(id);
    if (stream && !this.#sending.growStream(stream, more)) this.#break(stream);
  }

  /** The stream of a frame; undefined for one that has ended. */
  #find(id: number): Stream | undefined {
    if (id === 0 || id % 2 === 0 || id >= this.#nextId) throw broken("a frame belongs to no stream of ours");
    return this.#streams.get(id);
  }

  /** The peer has sent everything. */
  #complete(stream: Stream): void {
    if (!this.#release(stream)) return;
    // Whoever answers before it has the whole request does not want the rest of it.
    if (!stream.ended) this.#writer.number(Frame.resetStream, stream.id, NGHTTP2_NO_ERROR);
    stream.takeEnd();
  }

  /** The peer has broken the protocol on one stream. */
  #break(stream: Stream): void {
    this.#writer.number(Frame.resetStream, stream.id, NGHTTP2_PROTOCOL_ERROR);
    this.#fail(stream, NGHTTP2_PROTOCOL_ERROR, false);
  }

  #fail(stream: Stream, code: number, unprocessed: boolean): void {
    // Before the stream is released, which may end the connection.
    const connectionLost = this.#lost;
    const unreachable = connectionLost !== undefined && !this.#established;
    if (this.#release(stream)) stream.listener.onFailure({ code, connectionLost, unreachable, unprocessed });
  }

  /** @returns false for one that was over before */
  #release(stream: Stream): boolean {
    if (!this.#streams.delete(stream.id)) return false;
    this.#sending.forget(stream);
    if (this.#streams.size === 0 && !this.#closed) {
      if (this.#draining) this.#end(NGHTTP2_NO_ERROR);
      else this.#socket.unref();
    }
    this.#listener.onRelease();
    return true;
  }
}

function requireSize(isRight: boolean): void {
  if (!isRight) throw new ConnectionError(NGHTTP2_FRAME_SIZE_ERROR, "a frame has a wrong size");
}
