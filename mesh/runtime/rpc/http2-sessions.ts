import http2, {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type Http2Session,
  type OutgoingHttpHeaders,
} from "node:http2";
import { Liveness } from "./liveness.ts";

export interface Http2SessionsOptions {
  /** Streams one connection carries before another is opened; the peer's own limit counts too. */
  readonly maxStreamsPerSession?: number;
  /** Most connections to the upstream; beyond that, streams share them. */
  readonly maxSessions?: number;
  /** Milliseconds a connection may take to be established. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds between pings while streams are open; a peer that does not answer within this time, or 5 s, is dead. */
  readonly pingIntervalMs?: number;
  /** Milliseconds without streams after which a connection is closed. */
  readonly idleTimeoutMs?: number;
  /** Bytes a stream may receive ahead of its reader. */
  readonly streamWindowBytes?: number;
  /** Bytes a connection may receive ahead of its readers. */
  readonly sessionWindowBytes?: number;
  /** TLS options for https upstreams, e.g. `ca`, `cert`, `key`; asked for anew for each connection. */
  readonly tls?: () => http2.SecureClientSessionOptions;
  /** What connections depend on: those made before it changed take no new streams, and end with those they have. */
  readonly generation?: () => unknown;
}

type Optional = "tls" | "generation";

const DEFAULTS = {
  maxStreamsPerSession: 100,
  maxSessions: 8,
  connectTimeoutMs: 5_000,
  pingIntervalMs: 20_000,
  idleTimeoutMs: 300_000,
  streamWindowBytes: 1024 * 1024,
  sessionWindowBytes: 8 * 1024 * 1024,
};

const { NGHTTP2_CANCEL } = http2.constants;

/** Sessions that were connected at some time. */
const established = new WeakSet<ClientHttp2Session>();

/** Whether a connection ever came about: of one that did not, the peer has seen nothing. */
export function wasEstablished(session: Http2Session): boolean {
  return established.has(session as ClientHttp2Session);
}

interface Pooled {
  readonly session: ClientHttp2Session;
  streams: number;
  /** No new streams: the peer is going away, or the connection failed. */
  draining: boolean;
  readonly liveness: Liveness;
  idle: NodeJS.Timeout | undefined;
  /** Listener for the end of a stream; one for all of them. */
  readonly released: (this: ClientHttp2Stream) => void;
}

/**
 * A pool of HTTP/2 connections to one upstream. Connections are made when a stream needs one, shared by
 * many streams, given up on GOAWAY, on a failed ping and when idle, and replaced by the next stream that
 * asks: there is no background reconnecting, so a dead upstream costs nothing.
 */
export class Http2Sessions {
  readonly origin: string;
  readonly #options: Required<Omit<Http2SessionsOptions, Optional>> & Pick<Http2SessionsOptions, Optional>;
  readonly #pool: Pooled[] = [];
  readonly #url: { readonly protocol: string; readonly host: string };
  #closed = false;
  #generation: unknown;

  /** @param origin `http://host:port` (prior-knowledge h2c) or `https://host:port` */
  constructor(origin: string, options: Http2SessionsOptions = {}) {
    const url = new URL(origin);
    this.origin = url.origin;
    this.#url = { protocol: url.protocol.slice(0, -1), host: url.host };
    this.#options = { ...DEFAULTS, ...options };
  }

  /**
   * Opens a stream. A connection that cannot be made shows as an `error` event of the stream.
   * @throws when the pool is closed, or a header cannot be sent
   */
  request(headers: OutgoingHttpHeaders, endStream = false): ClientHttp2Stream {
    if (this.#closed) throw new Error("the connection pool is closed");
    const pooled = this.#pick();
    const stream = pooled.session.request(this.#listed(headers), { endStream });
    this.#opened(pooled);
    stream.on("close", pooled.released);
    return stream;
  }

  /** Names and values alternating, complete: from this form a request is made with less copying than from an object. */
  #listed(headers: OutgoingHttpHeaders): string[] {
    const { protocol, host } = this.#url;
    const list = [":scheme", protocol, ":authority", host];
    for (const name in headers) {
      const value = headers[name];
      // A list of values stays one; the type of this form leaves it out.
      if (value !== undefined) list.push(name, value as string);
    }
    return list;
  }

  /** Streams that are open now. */
  get openStreams(): number {
    let count = 0;
    for (const { streams } of this.#pool) count += streams;
    return count;
  }

  /** Replicas behind it: a pool leads to one address. */
  get size(): number {
    return 1;
  }

  /** Lets open streams finish and closes every connection. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(
      this.#pool.map(({ session }) => {
        if (session.destroyed) return undefined;
        return new Promise<void>((resolve) => {
          session.once("close", () => resolve());
          session.close();
        });
      }),
    );
  }

  /** Ends every connection with its streams at once. */
  destroy(): void {
    this.#closed = true;
    for (const { session } of [...this.#pool]) session.destroy();
  }

  /** The first connection with room, so that spare ones fall idle; the least loaded when all are full. */
  #pick(): Pooled {
    let least: Pooled | undefined;
    const generation = this.#options.generation?.();
    if (generation !== this.#generation) this.#begin(generation);
    for (const pooled of this.#pool) {
      if (pooled.draining || pooled.session.closed || pooled.session.destroyed) continue;
      if (pooled.streams < this.#room(pooled)) return pooled;
      if (!least || pooled.streams < least.streams) least = pooled;
    }
    return least && this.#pool.length >= this.#options.maxSessions ? least : this.#connect();
  }

  /** What was connected before takes no new streams. */
  #begin(generation: unknown): void {
    this.#generation = generation;
    for (const pooled of [...this.#pool]) {
      pooled.draining = true;
      if (pooled.streams === 0) pooled.session.close();
    }
  }

  #room({ session }: Pooled): number {
    const theirs = session.connecting ? undefined : session.remoteSettings?.maxConcurrentStreams;
    return Math.min(this.#options.maxStreamsPerSession, theirs ?? Number.POSITIVE_INFINITY);
  }

  #connect(): Pooled {
    const { streamWindowBytes, sessionWindowBytes, connectTimeoutMs, tls } = this.#options;
    const session = http2.connect(this.origin, {
      ...tls?.(),
      settings: { enablePush: false, initialWindowSize: streamWindowBytes },
    });
    const released = (cancelled: boolean) => this.#released(pooled, cancelled);
    const pooled: Pooled = {
      session,
      streams: 0,
      draining: false,
      liveness: new Liveness({
        intervalMs: this.#options.pingIntervalMs,
        isBusy: () => pooled.streams > 0 && !session.connecting && !session.destroyed,
        ping: () => session.ping(() => pooled.liveness.answered()),
        onLost: () => session.destroy(new Error("the peer does not answer pings")),
      }),
      idle: undefined,
      released() {
        released(this.rstCode === NGHTTP2_CANCEL);
      },
    };
    this.#pool.push(pooled);
    const giveUp = setTimeout(() => session.destroy(new Error("connecting took too long")), connectTimeoutMs);
    session.once("connect", () => {
      established.add(session);
      clearTimeout(giveUp);
      if (!session.destroyed) session.setLocalWindowSize(sessionWindowBytes);
    });
    session.on("goaway", () => {
      pooled.draining = true;
    });
    // Streams report the failure to their callers.
    session.on("error", () => {
      pooled.draining = true;
    });
    session.once("close", () => {
      clearTimeout(giveUp);
      pooled.liveness.stop();
      clearTimeout(pooled.idle);
      this.#pool.splice(this.#pool.indexOf(pooled), 1);
    });
    return pooled;
  }

  #opened(pooled: Pooled): void {
    if (pooled.streams++ > 0) return;
    clearTimeout(pooled.idle);
    pooled.session.ref();
    pooled.liveness.start();
  }

  #released(pooled: Pooled, cancelled: boolean): void {
    if (!cancelled) pooled.liveness.heard();
    else if (pooled.liveness.gaveUp()) pooled.draining = true;
    if (--pooled.streams > 0 || pooled.session.destroyed) return;
    // Going away, or closing: the last stream ends the connection.
    if (pooled.draining || this.#closed) return pooled.session.close();
    clearTimeout(pooled.idle);
    pooled.idle = setTimeout(() => pooled.session.close(), this.#options.idleTimeoutMs).unref();
    pooled.session.unref();
  }
}
