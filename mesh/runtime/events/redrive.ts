/**
 * What an operator does with dead letters. All of it works on what the service has kept (dead-letters.ts):
 * neither the stream nor NATS is needed.
 *
 * Replay and drop claim the event's inbox row in the transaction that settles the dead letter. So a delivery
 * that comes at the same time, or later, is a duplicate, and a second replay finds the effect committed.
 */
import type { Message } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { EntityManager, MikroORM } from "@mikro-orm/postgresql";
import { headers as newHeaders } from "@nats-io/nats-core";
import { ServiceError } from "../rpc/errors.ts";
import type { EventLog } from "./bus.ts";
import { type CloudEvent, decodeCloudEvent } from "./cloud-events.ts";
import { causeOf, type DeadLetter, DeadLetterRow, recordFailure } from "./dead-letters.ts";
import { decodeBody } from "./deliver.ts";
import { processSpan } from "./event-spans.ts";
import { HandlerFailure, handleOnce, PermanentEventError, type Reader } from "./handle-once.ts";
import { claimEvent } from "./inbox.ts";
import { isTransient } from "./transient.ts";

/** States that nobody leaves any more. */
const settledStates: ReadonlySet<DeadLetter["state"]> = new Set(["replayed", "dropped"]);

/** @throws ServiceError DEAD_LETTER_NOT_FOUND */
export async function findDeadLetter(orm: MikroORM, id: string): Promise<DeadLetter> {
  const letter = await orm.em.fork().findOne(DeadLetterRow, { id });
  if (letter) return letter;
  throw new ServiceError(Code.NotFound, "DEAD_LETTER_NOT_FOUND", "no dead letter of this service has the id");
}

/** The event that a dead letter holds. @throws MalformedEventError */
export function eventOf(reader: Reader, letter: DeadLetter): { event: CloudEvent; body: Message } {
  const headers = newHeaders();
  for (const [name, value] of Object.entries(letter.headers))
    headers.set(name === "nats-msg-id" ? "Nats-Msg-Id" : name, value);
  const event = decodeCloudEvent(headers, letter.payload);
  return { event, body: decodeBody(reader.contract, event) };
}

/**
 * Handles the event of a dead letter once more.
 *
 * @param actor - who asks for it; kept with the dead letter.
 * @returns the dead letter; as it was when it is replayed already.
 * @throws ServiceError DEAD_LETTER_NOT_FOUND, DEAD_LETTER_DROPPED; REPLAY_FAILED with the cause, which is also
 *   in the history then; what the database throws
 */
export async function replayDeadLetter(
  { orm, readers, log }: { orm: MikroORM; readers: readonly Reader[]; log: EventLog },
  id: string,
  actor: string,
): Promise<DeadLetter> {
  const letter = await findDeadLetter(orm, id);
  if (letter.state === "replayed") return letter;
  if (letter.state === "dropped") throw isDropped();
  const reader = readers.find(({ consumer }) => consumer === letter.consumer);
  if (!reader) throw replayFailed(new Error(`this service has no consumer ${letter.consumer} any more`));
  try {
    const { event, body } = eventOf(reader, letter);
    const settle = async (em: EntityManager) => {
      await em.execute(
        `update dead_letters set state = 'replayed', settled_at = now(), settled_by = ?
         where id = ? and state in ('retrying', 'open')`,
        [actor, id],
      );
    };
    const { attempts, headers } = letter;
    const { tracer, policy, consumer } = reader;
    const limits = { slowMs: policy.ackWait / 2, deadline: Date.now() + policy.ackWait };
    await tracer.run(processSpan(letter.subject, consumer), event, limits, () =>
      handleOnce(reader, { event, body, attempt: attempts + 1, headers, settle, keepFailures: true }),
    );
  } catch (error) {
    const byHandler = error instanceof HandlerFailure;
    const cause = byHandler ? error.cause : error;
    if (isTransient(cause, byHandler)) throw cause;
    const useless = !byHandler || cause instanceof PermanentEventError;
    await recordFailure(orm.em.fork(), letter, cause, useless ? 0 : reader.policy.maxDeliver, actor);
    log.warn({ audit: "dead-letter", action: "replay", id, actor, err: cause }, "a replay failed");
    throw replayFailed(cause);
  }
  const replayed = await findDeadLetter(orm, id);
  if (replayed.state === "dropped") throw isDropped(); // meanwhile: nothing was handled
  log.info({ audit: "dead-letter", action: "replay", id, actor }, "a dead letter is replayed");
  return replayed;
}

/**
 * Gives an event up for good.
 *
 * @param actor - who asks for it; kept with the dead letter.
 * @returns the dead letter; as it was when it is dropped already.
 * @throws ServiceError DEAD_LETTER_NOT_FOUND, DEAD_LETTER_REPLAYED
 */
export async function dropDeadLetter(
  { orm, log }: { orm: MikroORM; log: EventLog },
  id: string,
  actor: string,
): Promise<DeadLetter> {
  const letter = await findDeadLetter(orm, id);
  const isOpen = !settledStates.has(letter.state);
  if (isOpen) {
    await orm.em.fork().transactional(async (em) => {
      await claimEvent(em, letter.consumer, letter.eventId, 5_000, true);
      await em.execute(
        `update dead_letters set state = 'dropped', settled_at = now(), settled_by = ?
         where id = ? and state in ('retrying', 'open')`,
        [actor, id],
      );
    });
  }
  const dropped = await findDeadLetter(orm, id);
  if (dropped.state === "replayed")
    throw new ServiceError(Code.FailedPrecondition, "DEAD_LETTER_REPLAYED", "the dead letter is replayed");
  if (isOpen) log.info({ audit: "dead-letter", action: "drop", id, actor }, "a dead letter is dropped");
  return dropped;
}

function isDropped(): ServiceError {
  return new ServiceError(Code.FailedPrecondition, "DEAD_LETTER_DROPPED", "the dead letter is dropped");
}

function replayFailed(cause: unknown): ServiceError {
  return new ServiceError(Code.FailedPrecondition, "REPLAY_FAILED", `the replay failed: ${causeOf(cause)}`);
}
