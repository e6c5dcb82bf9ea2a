/**
 * DESIGN
 *
 * Access tokens are valid wherever they are shown, and nobody is asked. To end one early, whoever issues tokens
 * writes into a NATS key-value bucket, for the user, the second before which tokens were issued that are void now.
 * Every process reads the bucket when it connects and hears of each new entry after that, so that it answers from
 * its own memory; while NATS is away it goes on with what it knows.
 *
 * Entries die after the longest life of a token, since by then what they void has expired. The server drops them
 * silently (the bucket's age limit), and so does each process by itself.
 */
import { DiscardPolicy, JetStreamApiError, StorageType } from "@nats-io/jetstream";
import { nanos, type Subscription } from "@nats-io/nats-core";
import type { Bus, EventLog } from "../events/bus.ts";
import { REVOCATION_BUCKET } from "../events/bus-rights.ts";
import { maxTokenLifeSeconds } from "./user-token.ts";

const stream = `KV_${REVOCATION_BUCKET}`;
const prefix = `$KV.${REVOCATION_BUCKET}.`;
/** Clocks differ, and a token is accepted a little after its end. */
const toleranceSeconds = 60;
const keptSeconds = maxTokenLifeSeconds + toleranceSeconds;
/** Entries read at the same time. */
const readsAtOnce = 16;
/** Between two looks at whether the bus is there, in milliseconds. */
const lookEveryMs = 1_000;
/** JetStream's error codes. */
const streamNotFound = 10_059;
const streamNameInUse = 10_058;
const noMessage = 10_037;

/** Tokens of a user that are void. */
export interface Revocation {
  /** The token's `sub`. */
  readonly user: string;
  /** Tokens issued before it are void; in seconds since 1970, like their `iat`. */
  readonly before: number;
}

/** What this process knows of revocations. */
export interface Revocations {
  /** Whether a token of `user`, issued at `issuedAt` (seconds since 1970), is void. */
  isRevoked(user: string, issuedAt: number): boolean;
  /** Resolves when the bucket was read for the first time. */
  readonly loaded: Promise<void>;
  stop(): void;
}

/** Follows the bucket. */
export function followRevocations(bus: Bus, log: EventLog): Revocations {
  const known = new Map<string, number>();
  const loaded = Promise.withResolvers<void>();
  let subscription: Subscription | undefined;
  /** Connect of the bus that the last full reading belongs to; 0 before the first. */
  let epoch = 0;
  let reported = "";
  let busy = false;

  const take = ({ user, before }: Revocation) => {
    if (before > (known.get(user) ?? 0)) known.set(user, before);
  };
  const attach = async () => {
    const wanted = bus.epoch;
    // First, so that nothing is missed between reading and listening.
    if (!subscription || subscription.isClosed()) subscription = subscribe(bus, take);
    for (const revocation of await readAll(bus)) take(revocation);
    epoch = wanted;
    loaded.resolve();
    if (reported) log.info("revoked tokens are heard of again");
    reported = "";
  };
  const look = async () => {
    forget(known);
    if (busy || !bus.isConnected() || bus.epoch === epoch) return;
    busy = true;
    try {
      await attach();
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (problem !== reported)
        log.warn({ problem }, "revoked tokens cannot be read; going on with those known last");
      reported = problem;
    } finally {
      busy = false;
    }
  };
  void bus.connected().then(look, () => {});
  const timer = setInterval(look, lookEveryMs).unref();
  return {
    isRevoked: (user, issuedAt) => known.size > 0 && issuedAt < (known.get(user) ?? 0),
    loaded: loaded.promise,
    stop() {
      clearInterval(timer);
      subscription?.unsubscribe();
    },
  };
}

/**
 * Voids tokens in every process. Only the issuer has the right to; to say it again is harmless.
 * @param replicas copies of the bucket in a NATS cluster
 * @throws BusAwayError, JetStreamApiError
 */
export async function announceRevocation(bus: Bus, revocation: Revocation, replicas: number): Promise<void> {
  const write = () => bus.js.publish(keyOf(revocation.user), String(revocation.before), { timeout: 2_000 });
  try {
    await write();
  } catch {
    // The first one ever, or the server has lost its disk.
    await ensureBucket(bus, replicas);
    await write();
  }
}

async function ensureBucket(bus: Bus, replicas: number): Promise<void> {
  try {
    await bus.jsm.streams.add({
      name: stream,
      subjects: [`${prefix}>`],
      storage: StorageType.File,
      discard: DiscardPolicy.New,
      num_replicas: replicas,
      max_msgs_per_subject: 1,
      max_age: nanos(keptSeconds * 1_000),
      max_bytes: 64 * 1024 * 1024,
      max_msg_size: 1_024,
      deny_delete: true,
    });
  } catch (error) {
    // Made by another replica, or another version of this program: it serves as it is.
    if (!(error instanceof JetStreamApiError && error.code === streamNameInUse)) throw error;
  }
}

function subscribe(bus: Bus, take: (revocation: Revocation) => void): Subscription {
  return bus.connection.subscribe(`${prefix}>`, {
    callback: (error, message) => {
      const revocation = error ? undefined : parse(message.subject, message.string());
      if (revocation) take(revocation);
    },
  });
}

/** Everything in the bucket; nothing where there is none yet. */
async function readAll(bus: Bus): Promise<Revocation[]> {
  const subjects = await subjectsOf(bus);
  const found: Revocation[] = [];
  const readNext = async () => {
    for (let subject = subjects.pop(); subject !== undefined; subject = subjects.pop()) {
      const revocation = await readOne(bus, subject);
      if (revocation) found.push(revocation);
    }
  };
  await Promise.all(Array.from({ length: readsAtOnce }, readNext));
  return found;
}

async function subjectsOf(bus: Bus): Promise<string[]> {
  try {
    const { state } = await bus.jsm.streams.info(stream, { subjects_filter: `${prefix}>` });
    return Object.keys(state.subjects ?? {});
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === streamNotFound) return [];
    throw error;
  }
}

async function readOne(bus: Bus, subject: string): Promise<Revocation | undefined> {
  try {
    const message = await bus.jsm.streams.getMessage(stream, { last_by_subj: subject });
    return message ? parse(subject, new TextDecoder().decode(message.data)) : undefined;
  } catch (error) {
    // Its time was over between the list and now.
    if (error instanceof JetStreamApiError && error.code === noMessage) return undefined;
    throw error;
  }
}

function forget(known: Map<string, number>): void {
  const now = Date.now() / 1_000;
  for (const [user, before] of known) if (before + keptSeconds < now) known.delete(user);
}

/** A subject has no dots, spaces or wildcards in its parts; a user's id may. */
function keyOf(user: string): string {
  return prefix + Buffer.from(user).toString("base64url");
}

function parse(subject: string, text: string): Revocation | undefined {
  const before = /^\d{1,12}$/.test(text) ? Number(text) : undefined;
  const user = Buffer.from(subject.slice(prefix.length), "base64url").toString();
  return before !== undefined && user !== "" ? { user, before } : undefined;
}
