/** The effect of an event and its inbox row, in one transaction. */
import type { Message } from "@bufbuild/protobuf";
import type { EntityManager, MikroORM } from "@mikro-orm/postgresql";
import { failpoint } from "../failpoint.ts";
import { longestStatementMs } from "../storage/silent-connections.ts";
import { inSpan } from "../telemetry/in-span.ts";
import type { Tracer } from "../telemetry/tracer.ts";
import type { EventLog } from "./bus.ts";
import type { CloudEvent } from "./cloud-events.ts";
import type { ConsumerPolicy, EventContract } from "./event-contract.ts";
import { handleSpan } from "./event-spans.ts";
import { claimEvent } from "./inbox.ts";

/** A handler throws this when trying again is useless: the event goes to the dead letters at once. */
export class PermanentEventError extends Error {
  override readonly name = "PermanentEventError";
}

/** What a handler gets besides the event. */
export interface EventContext {
  /** Inside the transaction that also holds the event's inbox row. */
  readonly em: EntityManager;
  readonly id: string;
  readonly key: string;
  readonly version?: bigint;
  /** When the event was recorded. */
  readonly time: Date;
  /** 1 for the first try; failed tries are counted, redeliveries for other reasons are not. */
  readonly attempt: number;
  /** Headers of the message, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Aborted when the delivery has taken as long as the contract's ack_wait and is given up. */
  readonly signal: AbortSignal;
}

/** One event as one service reads it. */
export interface Reader {
  readonly consumer: string;
  readonly contract: EventContract;
  readonly policy: ConsumerPolicy;
  readonly handle: (event: Message, context: EventContext) => Promise<void>;
  readonly orm: MikroORM;
  readonly log: EventLog;
  readonly tracer: Tracer;
}

/** A handler threw `cause`; everything else that goes wrong around it is thrown as it is. */
export class HandlerFailure extends Error {
  override readonly name = "HandlerFailure";
}

/** One try to handle an event. */
export interface Try {
  readonly event: CloudEvent;
  readonly body: Message;
  readonly attempt: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Ends the transaction, also when the event is a duplicate: what must commit with the effect. */
  readonly settle?: (em: EntityManager) => Promise<void>;
  /** Keeps the record of failed tries, which a delivery that succeeds makes superfluous. */
  readonly keepFailures?: boolean;
}

/**
 * Runs the handler if this consumer has not handled the event before.
 *
 * @returns false for a duplicate.
 * @throws HandlerFailure when the handler throws or takes longer than ack_wait; errors of the database.
 */
export async function handleOnce(
  { consumer, policy, handle, orm }: Reader,
  { event, body, attempt, headers, settle = async () => {}, keepFailures = false }: Try,
): Promise<boolean> {
  const signal = AbortSignal.timeout(policy.ackWait);
  const fresh = await orm.em.fork().transactional(async (em) => {
    const limit = Math.min(policy.ackWait, longestStatementMs);
    if (!(await claimEvent(em, consumer, event.id, limit, keepFailures))) {
      await settle(em);
      return false;
    }
    const { id, key, version, time } = event;
    try {
      await beforeAbort(
        inSpan(handleSpan(consumer), () =>
          handle(body, { em, id, key, version, time, attempt, headers, signal }),
        ),
        signal,
        policy.ackWait,
      );
    } catch (cause) {
      throw new HandlerFailure("the handler failed", { cause });
    }
    await settle(em);
    failpoint("inbox.commit.before");
    return true;
  });
  if (fresh) failpoint("inbox.commit.after");
  return fresh;
}

async function beforeAbort(work: Promise<void>, signal: AbortSignal, limit: number): Promise<void> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(new Error(`the handler took longer than ${limit} ms`));
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
