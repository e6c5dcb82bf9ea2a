/**
 * DESIGN
 *
 * A method whose policy requires an Idempotency-Key has one effect and one reply for each (user, route, key),
 * however often and however concurrently it is called, and whatever process dies when:
 *
 *   stored reply? → handler: one transaction { effect, keepReply } → reply
 *
 * - The reply is stored in the transaction of the effect, so both exist or neither does. After a crash a repeat
 *   either finds the reply or finds nothing done.
 * - Concurrent calls of one process are handled one after the other. Of those of several processes the first to
 *   store its reply wins; the others wait for its commit, roll back all that they did, and answer what it has
 *   stored. One that would wait too long answers ABORTED.
 * - The same key with another request is refused by its fingerprint; the edge makes that 422.
 * - A refusal has no effect and is not stored: the same key may try again.
 *
 * Effects outside of the service's own database do not belong into a keyed handler: leave them to events or to
 * a saga that the transaction starts.
 */
import { hash } from "node:crypto";
import {
  create,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { HandlerContext } from "@connectrpc/connect";
import type { EntityManager, MikroORM } from "@mikro-orm/postgresql";
import { answeredOnceKey, callerKey, idempotencyKeyKey, principalKey } from "../identity/principal.ts";
import {
  AnsweredMeanwhileError,
  findReply,
  inFlight,
  insertReply,
  type KeyedCall,
} from "./stored-replies.ts";

/**
 * Stores a reply in the transaction of its effect, which must be rolled back when this throws. The handler
 * answers exactly this reply.
 */
export type KeepReply<M extends DescMethodUnary> = (
  tx: EntityManager,
  reply: MessageInitShape<M["output"]>,
) => Promise<void>;

/** A handler that stores its reply with its effect. */
export type KeyedHandler<M extends DescMethodUnary> = (
  request: MessageShape<M["input"]>,
  context: HandlerContext,
  keepReply: KeepReply<M>,
) => Promise<unknown>;

/**
 * The handler of a method whose policy requires an Idempotency-Key: runs `handle` once for each key.
 *
 * @param orm - database of the service, with the table of createStoredReplies.
 */
export function answerOnce<M extends DescMethodUnary>(
  method: M,
  orm: MikroORM,
  handle: KeyedHandler<M>,
): (request: MessageShape<M["input"]>, context: HandlerContext) => Promise<MessageShape<M["output"]>> {
  const { output } = method;
  /** Calls of this process by user and key; each ends before the next one of its key begins. */
  const inHand = new Map<string, Promise<void>>();

  const answer = async (call: KeyedCall, request: MessageShape<M["input"]>, context: HandlerContext) => {
    const known = await findReply(orm, call);
    if (known) return known;
    let kept: Uint8Array | undefined;
    try {
      await handle(request, context, async (tx, reply) => {
        const bytes = toBinary(output, create(output, reply));
        await insertReply(tx, call, bytes);
        kept = bytes;
      });
    } catch (error) {
      if (!(error instanceof AnsweredMeanwhileError)) throw error;
      const theirs = await findReply(orm, call); // by another process
      if (!theirs) throw inFlight();
      return theirs;
    }
    if (!kept) throw new Error(`${call.route} has not kept its reply`);
    return kept;
  };

  return async (request, context) => {
    const call = keyedCall(method, request, context);
    context.values.set(answeredOnceKey, true);
    const name = JSON.stringify([call.userId, call.key]);
    for (let before = inHand.get(name); before; before = inHand.get(name)) await before;
    context.signal.throwIfAborted(); // its caller has gone while it waited
    const ended = Promise.withResolvers<void>();
    inHand.set(name, ended.promise);
    try {
      return fromBinary(output, await answer(call, request, context)) as MessageShape<M["output"]>;
    } finally {
      inHand.delete(name);
      ended.resolve();
    }
  };
}

function keyedCall<M extends DescMethodUnary>(
  method: M,
  request: MessageShape<M["input"]>,
  { values }: HandlerContext,
): KeyedCall {
  const route = `${method.parent.typeName}/${method.name}`;
  const key = values.get(idempotencyKeyKey);
  if (key === undefined) throw new Error(`the policy of ${route} does not require an Idempotency-Key`);
  return {
    userId: values.get(principalKey)?.id ?? `service:${values.get(callerKey) ?? ""}`,
    route,
    key,
    fingerprint: hash("sha256", toBinary(method.input, request), "buffer"),
  };
}
