import { createHash } from "node:crypto";
import { JetStreamApiError, StorageType } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import { type Bus, connectBus, type EventLog } from "#mesh/runtime/events/bus.ts";
import { RATE_LIMIT_BUCKET } from "#mesh/runtime/events/bus-rights.ts";
import { type Decision, decide, type Gcra } from "./gcra.ts";
import { MemoryRateLimits, type RateLimitStore } from "./rate-limit-store.ts";

/** Life of an entry that is not used, in milliseconds: longer than any period and burst worth sharing. */
const TTL_MS = 3_600_000;
/** Time one request may wait for the shared state, in milliseconds. */
const PATIENCE_MS = 100;
/** After a failure the shared state is left alone for this long, in milliseconds. */
const PAUSE_MS = 1_000;
/** Writers that may be faster in a row before one gives up. */
const MAX_ROUNDS = 8;
const WRONG_REVISION = 10_071;

/**
 * Limits that all replicas of the edge share, in a NATS key-value bucket: one entry for each limit and sender,
 * replaced only if it has not changed since it was read, so that no request is counted half.
 *
 * When NATS is away or slow each replica goes on with limits of its own, the allowance then being multiplied by
 * the replicas: a lost counter must not be an outage, and the limits are there to keep load within bounds, which
 * they still are. (Who may log in how often is a matter of the service that checks passwords.)
 */
export class SharedRateLimits implements RateLimitStore {
  readonly #bus: Bus;
  readonly #log: EventLog;
  /** What is known of entries, and the stand-in while the bucket cannot be had. */
  readonly #local: MemoryRateLimits;
  readonly #patienceMs: number;
  #kv: Promise<KV> | undefined;
  #pausedUntil = 0;
  #shares = false;

  /** @param url nats://USER:PASSWORD@HOST:PORT */
  static async connect(url: string, log: EventLog, maxKeys: number): Promise<SharedRateLimits> {
    return new SharedRateLimits(await connectBus({ url, service: "edge", log }), log, maxKeys);
  }

  /** @param patienceMs time that one request may wait for one answer of the bucket */
  constructor(bus: Bus, log: EventLog, maxKeys: number, patienceMs = PATIENCE_MS) {
    this.#bus = bus;
    this.#log = log;
    this.#patienceMs = patienceMs;
    this.#local = new MemoryRateLimits(maxKeys);
  }

  take(limit: Gcra, key: string, now: number): Decision | Promise<Decision> {
    // Arrival times only grow: what this replica has seen is enough to refuse, without asking anybody.
    const known = decide(limit, this.#local.known(key), now);
    if (!known.allowed) return known;
    if (now < this.#pausedUntil || !this.#bus.isConnected()) {
      this.#shares = false;
      return this.#local.take(limit, key, now);
    }
    return this.#share(limit, key, now).catch((error: unknown) => {
      this.#pausedUntil = now + PAUSE_MS;
      this.#shares = false;
      const problem = error instanceof Error ? error.message : String(error);
      this.#log.warn({ problem }, "rate limits are not shared for the moment");
      return this.#local.take(limit, key, now);
    });
  }

  async #share(limit: Gcra, key: string, now: number): Promise<Decision> {
    const kv = await within(this.#patienceMs, this.#bucket());
    const name = createHash("sha256").update(key).digest("base64url");
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const entry = await within(this.#patienceMs, this.#forgetting(kv.get(name)));
      const decision = decide(
        limit,
        entry && entry.operation === "PUT" ? Number(entry.string()) : undefined,
        now,
      );
      this.#local.remember(key, decision.tat, now);
      if (!decision.allowed) return decision;
      const text = String(decision.tat);
      try {
        await within(this.#patienceMs, entry ? kv.update(name, text, entry.revision) : kv.create(name, text));
        this.#shares = true;
        return decision;
      } catch (error) {
        if (!(error instanceof JetStreamApiError && error.code === WRONG_REVISION)) throw error;
        // Another replica was faster: its request counts too.
      }
    }
    throw new Error(`another replica was faster ${MAX_ROUNDS} times in a row`);
  }

  /** The bucket goes with the server's memory; after a failed read it is opened anew. */
  #forgetting<T>(read: Promise<T>): Promise<T> {
    return read.catch((error: unknown) => {
      this.#kv = undefined;
      throw error;
    });
  }

  #bucket(): Promise<KV> {
    // Opening goes on when the request that asked for it no longer waits.
    this.#kv ??= this.#open().catch((error: unknown) => {
      this.#kv = undefined;
      throw error;
    });
    return this.#kv;
  }

  #open(): Promise<KV> {
    return new Kvm(this.#bus.connection).create(RATE_LIMIT_BUCKET, {
      ttl: TTL_MS,
      history: 1,
      // A restart of NATS forgives everybody once; writing each request to disk would cost more than that.
      storage: StorageType.Memory,
      // From the leader: a follower may be behind, and what is written must follow what is newest.
      allow_direct: false,
    });
  }

  /** Whether the last request was counted for all replicas together. */
  get shares(): boolean {
    return this.#shares;
  }

  async close(): Promise<void> {
    await this.#bus.close();
  }
}

function within<T>(ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
