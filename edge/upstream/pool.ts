import { Connection, type ConnectionOptions } from "./connection.ts";
import type { Stream, StreamListener } from "./stream.ts";

export interface PoolOptions extends Partial<Omit<ConnectionOptions, "tls">> {
  /** For https upstreams, e.g. `ca`, `cert`, `key`; asked for anew for each connection. */
  readonly tls?: () => ConnectionOptions["tls"];
  /** What connections depend on: those made before it changed take no new streams, and end with those they have. */
  readonly generation?: () => unknown;
  /** Streams one connection carries before another is opened; the peer's own limit counts too. */
  readonly maxStreamsPerConnection?: number;
  /** Most connections to the upstream; beyond that, streams share them. */
  readonly maxConnections?: number;
  /** Milliseconds without streams after which a connection is closed. */
  readonly idleTimeoutMs?: number;
}

type Optional = "tls" | "generation";

const DEFAULTS: Required<Omit<PoolOptions, Optional>> = {
  maxStreamsPerConnection: 100,
  maxConnections: 8,
  connectTimeoutMs: 5_000,
  // Servers may end a connection that is pinged every five minutes or more often while it is quiet (gRFC A8).
  pingIntervalMs: 310_000,
  idleTimeoutMs: 300_000,
  streamWindowBytes: 256 * 1024,
  connectionWindowBytes: 8 * 1024 * 1024,
};

interface Pooled {
  readonly connection: Connection;
  idle: NodeJS.Timeout | undefined;
}

/**
 * Connections to one upstream. They are made when a stream needs one, shared by many streams, given up when the
 * peer goes away, does not answer pings or nobody needs them, and replaced by the next stream that asks: there is
 * no background reconnecting, so a dead upstream costs nothing.
 */
export class Pool {
  /** As in `:authority`. */
  readonly authority: string;
  readonly scheme: "http" | "https";
  readonly #url: URL;
  readonly #options: typeof DEFAULTS & Pick<PoolOptions, Optional>;
  readonly #pool: Pooled[] = [];
  #closed = false;
  #generation: unknown;

  /**
   * @param origin `http://host:port` (HTTP/2 with prior knowledge) or `https://host:port`
   * @throws TypeError when it is no URL
   */
  constructor(origin: string, options: PoolOptions = {}) {
    this.#url = new URL(origin);
    this.authority = this.#url.host;
    this.scheme = this.#url.protocol === "https:" ? "https" : "http";
    this.#options = { ...DEFAULTS, ...options };
  }

  /**
   * Opens a stream. A connection that cannot be made shows as a failure of the stream.
   * @param block header block of the request
   * @throws Error when the pool is closed
   */
  open(block: string, listener: StreamListener): Stream {
    if (this.#closed) throw new Error("the connection pool is closed");
    const pooled = this.#pick();
    if (pooled.idle) {
      clearTimeout(pooled.idle);
      pooled.idle = undefined;
    }
    return pooled.connection.open(block, listener);
  }

  /** Streams that are open now. */
  get openStreams(): number {
    let count = 0;
    for (const { connection } of this.#pool) count += connection.load;
    return count;
  }

  /** One address is all there is to pick from. */
  pick(): this {
    return this;
  }

  /** Lets open streams finish; connections end after their last one. */
  close(): void {
    this.#closed = true;
    for (const { connection } of [...this.#pool]) connection.close();
  }

  /** Ends every connection with its streams at once. */
  destroy(): void {
    this.#closed = true;
    for (const { connection } of [...this.#pool])
      connection.destroy(new Error("the connection pool is closed"));
  }

  /** The first connection with room, so that spare ones fall idle; the least loaded when all are full. */
  #pick(): Pooled {
    let least: Pooled | undefined;
    const generation = this.#options.generation?.();
    if (generation !== this.#generation) this.#begin(generation);
    for (const pooled of this.#pool) {
      const { isDraining, load, maxStreams } = pooled.connection;
      if (isDraining) continue;
      if (load < Math.min(maxStreams, this.#options.maxStreamsPerConnection)) return pooled;
      if (!least || load < least.connection.load) least = pooled;
    }
    return least && this.#pool.length >= this.#options.maxConnections ? least : this.#connect();
  }

  /** What was connected before takes no new streams. */
  #begin(generation: unknown): void {
    this.#generation = generation;
    for (const { connection } of [...this.#pool]) connection.close();
  }

  #connect(): Pooled {
    const options = { ...this.#options, tls: this.#options.tls?.() };
    const connection = new Connection(this.#url, options, {
      onRelease: () => {
        if (connection.load > 0 || connection.isDraining) return;
        pooled.idle = setTimeout(() => connection.close(), this.#options.idleTimeoutMs).unref();
      },
      onClose: () => {
        clearTimeout(pooled.idle);
        this.#pool.splice(this.#pool.indexOf(pooled), 1);
      },
    });
    const pooled: Pooled = { connection, idle: undefined };
    this.#pool.push(pooled);
    return pooled;
  }
}
