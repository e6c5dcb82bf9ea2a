/**
 * A service's connection to NATS JetStream. It may be away at any time, also when the service starts: the
 * bus keeps trying in the background, and whoever uses it waits or tries again.
 */
import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import type { Logger } from "#mesh/runtime/telemetry/log.ts";

/** The parts of a logger that the events runtime uses. */
export type EventLog = Pick<Logger, "debug" | "info" | "warn" | "error">;

/** Connection of one service. `connection`, `js` and `jsm` throw BusAwayError before the first connect. */
export interface Bus {
  /** ServicePolicy.name of the owner. */
  readonly service: string;
  readonly connection: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  /** Whether the server can be reached now. */
  isConnected(): boolean;
  /** Counts connects: another value means that the server may have lost or kept anything in between. */
  readonly epoch: number;
  /** Resolves once the server can be reached; rejects with BusAwayError when the bus is closed. */
  connected(): Promise<void>;
  /** Sends what is pending, finishes subscriptions, disconnects for good. Never throws. */
  close(): Promise<void>;
}

/** The bus has no connection. */
export class BusAwayError extends Error {
  override readonly name = "BusAwayError";
}

interface Live {
  readonly connection: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
}

/**
 * Starts connecting and returns at once, whether or not NATS is there.
 *
 * Replies go to the inbox `_INBOX.SERVICE.>`, so that no service may read another's. Reconnects for ever, after
 * 250 to 1,250 ms each; a half-open connection is noticed within 10 s.
 *
 * @param url - nats://USER:PASSWORD@HOST:PORT, or several of them with commas between.
 * @throws TypeError when a URL cannot be parsed (the text of the URL is not repeated: it holds a password).
 */
export async function connectBus({
  url,
  service,
  log,
}: {
  url: string;
  service: string;
  log: EventLog;
}): Promise<Bus> {
  const target = parseUrl(url);
  let live: Live | undefined;
  let up = false;
  let epoch = 0;
  let closed = false;
  let waiting: { resolve(): void; reject(error: Error): void }[] = [];
  let wakeFromPause = () => {};

  const setUp = (now: boolean) => {
    if (now && !up) epoch++;
    up = now;
    if (!now) return;
    for (const { resolve } of waiting) resolve();
    waiting = [];
  };
  const pause = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, 250 + Math.random() * 1_000);
      wakeFromPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const open = async (): Promise<Live> => {
    const connection = await connect({
      ...target,
      name: service,
      inboxPrefix: `_INBOX.${service}`,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      reconnectJitter: 1_000,
      reconnectJitterTLS: 1_000,
      timeout: 5_000,
      pingInterval: 5_000,
      maxPingOut: 2,
      ignoreAuthErrorAbort: true,
      noAsyncTraces: true,
    });
    return {
      connection,
      js: jetstream(connection),
      jsm: await jetstreamManager(connection, { checkAPI: false }),
    };
  };
  /** Connects until the bus is closed. The client reconnects by itself; a connection it gave up is replaced. */
  const keepConnected = async () => {
    let reported = "";
    while (!closed) {
      try {
        const next = await open();
        if (closed) return void (await next.connection.close());
        live = next;
        reported = "";
        setUp(true);
        log.info({ server: next.connection.getServer() }, "connected to NATS");
        void followStatus(next.connection);
        const reason = await next.connection.closed();
        setUp(false);
        if (!closed) log.warn({ err: reason }, "NATS connection closed; connecting anew");
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        if (problem !== reported) log.warn({ problem }, "NATS cannot be reached; trying again until it can");
        reported = problem;
        if (!closed) await pause();
      }
    }
  };
  const followStatus = async (connection: NatsConnection) => {
    for await (const status of connection.status()) {
      if (status.type === "disconnect") {
        setUp(false);
        log.warn({ server: status.server }, "lost the connection to NATS; reconnecting");
      } else if (status.type === "reconnect") {
        setUp(true);
        log.info({ server: status.server }, "connected to NATS again");
      } else if (status.type === "error") {
        log.warn({ problem: status.error.message }, "NATS reports an error");
      }
    }
  };
  const running = keepConnected();
  const need = (): Live => {
    if (!live) throw new BusAwayError("NATS has not been reached yet");
    return live;
  };

  return {
    service,
    get connection() {
      return need().connection;
    },
    get js() {
      return need().js;
    },
    get jsm() {
      return need().jsm;
    },
    get epoch() {
      return epoch;
    },
    isConnected: () => up && !closed,
    connected: () => {
      if (closed) return Promise.reject(new BusAwayError("the bus is closed"));
      if (up) return Promise.resolve();
      return new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }));
    },
    async close() {
      if (closed) return;
      closed = true;
      for (const { reject } of waiting) reject(new BusAwayError("the bus is closed"));
      waiting = [];
      wakeFromPause();
      if (live && !live.connection.isClosed()) {
        // A drain needs the server; without it the connection is simply dropped.
        const ended = up ? live.connection.drain() : live.connection.close();
        await ended.catch(() => live?.connection.close());
      }
      await running;
    },
  };
}

function parseUrl(urls: string): { servers: string[]; user?: string; pass?: string } {
  const parsed = urls.split(",").map((url) => {
    if (!URL.canParse(url.trim()))
      throw new TypeError("the NATS URL cannot be parsed; expected nats://USER:PASSWORD@HOST:PORT");
    return new URL(url.trim());
  });
  const { username, password } = parsed[0] as URL;
  return {
    servers: parsed.map(({ host }) => host),
    ...(username ? { user: decodeURIComponent(username), pass: decodeURIComponent(password) } : {}),
  };
}
