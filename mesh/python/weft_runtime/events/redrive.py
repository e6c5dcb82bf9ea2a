"""
What an operator does with dead letters; neither the stream nor NATS is needed. Replay and drop claim the event's inbox
row in the transaction that settles the dead letter. So a delivery that comes at the same time, or later, is a
duplicate, and a second replay finds the effect committed.
"""

import json
import time
from collections.abc import Sequence
from uuid import UUID

import asyncpg
from google.protobuf.message import Message

from weft_runtime.events.cloud_events import CloudEvent, decode_cloud_event
from weft_runtime.events.dead_letters import FailedDelivery, cause_of, record_failure
from weft_runtime.events.deliver import decode_body, process_span
from weft_runtime.events.handle_once import HandlerFailure, PermanentEventError, Reader, Try, handle_once
from weft_runtime.events.inbox import claim_event
from weft_runtime.rpc.errors import Code, ServiceError
from weft_runtime.storage.database import Database, Transaction
from weft_runtime.storage.sql_state import is_transient
from weft_runtime.telemetry.log import Log


async def find_dead_letter(database: Database, id: UUID) -> asyncpg.Record:
    """:raises ServiceError: DEAD_LETTER_NOT_FOUND"""
    rows = await database.fetch("select * from dead_letters where id = $1", id)
    if rows:
        return rows[0]
    raise ServiceError(Code.NOT_FOUND, "DEAD_LETTER_NOT_FOUND", "no dead letter of this service has the id")


def event_of(reader: Reader, letter: asyncpg.Record) -> tuple[CloudEvent, Message]:
    """The event that a dead letter holds. :raises MalformedEvent:"""
    headers: dict[str, str] = json.loads(letter["headers"])
    if "nats-msg-id" in headers:
        headers["Nats-Msg-Id"] = headers["nats-msg-id"]
    event = decode_cloud_event(headers, letter["payload"])
    return event, decode_body(reader.contract, event)


async def replay_dead_letter(
    database: Database, readers: Sequence[Reader], log: Log, id: UUID, actor: str
) -> asyncpg.Record:
    """
    Handles the event of a dead letter once more.

    :param actor: who asks for it; kept with the dead letter
    :returns: the dead letter; as it was when it is replayed already
    :raises ServiceError: DEAD_LETTER_NOT_FOUND, DEAD_LETTER_DROPPED; REPLAY_FAILED with the cause, which is also in
        the history then; what the database throws
    """
    letter = await find_dead_letter(database, id)
    if letter["state"] == "replayed":
        return letter
    if letter["state"] == "dropped":
        raise _is_dropped()
    reader = next((each for each in readers if each.consumer == letter["consumer"]), None)
    if reader is None:
        raise _replay_failed(ValueError(f"this service has no consumer {letter['consumer']} any more"))
    try:
        await _replay(reader, letter, actor)
    except Exception as error:
        by_handler = isinstance(error, HandlerFailure)
        cause = error.__cause__ if by_handler and error.__cause__ else error
        if is_transient(cause, by_handler):
            raise cause  # noqa: B904 its own cause stays what it was
        useless = not by_handler or isinstance(cause, PermanentEventError)
        most = 0 if useless else reader.policy.max_deliver
        await record_failure(database, _delivery_of(letter), cause, most, actor)
        log.warn("a replay failed", audit="dead-letter", action="replay", id=str(id), actor=actor, err=cause)
        raise _replay_failed(cause) from cause
    replayed = await find_dead_letter(database, id)
    if replayed["state"] == "dropped":
        raise _is_dropped()  # meanwhile: nothing was handled
    log.info("a dead letter is replayed", audit="dead-letter", action="replay", id=str(id), actor=actor)
    return replayed


async def _replay(reader: Reader, letter: asyncpg.Record, actor: str) -> None:
    event, body = event_of(reader, letter)

    async def settle(tx: Transaction) -> str:
        return await tx.execute(
            """update dead_letters set state = 'replayed', settled_at = now(), settled_by = $1
               where id = $2 and state in ('retrying', 'open')""",
            actor,
            letter["id"],
        )

    headers: dict[str, str] = json.loads(letter["headers"])
    with reader.tracer.run(
        process_span(letter["subject"], reader.consumer),
        request_id=event.request_id,
        traceparent=event.traceparent,
        slow_seconds=reader.policy.ack_wait / 2,
        deadline=time.time() + reader.policy.ack_wait,
    ):
        attempt = letter["attempts"] + 1
        await handle_once(reader, Try(event, body, attempt, headers, settle, keep_failures=True))


async def drop_dead_letter(database: Database, log: Log, id: UUID, actor: str) -> asyncpg.Record:
    """
    Gives an event up for good.

    :returns: the dead letter; as it was when it is dropped already
    :raises ServiceError: DEAD_LETTER_NOT_FOUND, DEAD_LETTER_REPLAYED
    """
    letter = await find_dead_letter(database, id)
    is_open = letter["state"] not in ("replayed", "dropped")
    if is_open:
        async with database.transaction() as tx:
            await claim_event(tx, letter["consumer"], letter["event_id"], 5_000, keep_failures=True)
            await tx.execute(
                """update dead_letters set state = 'dropped', settled_at = now(), settled_by = $1
                   where id = $2 and state in ('retrying', 'open')""",
                actor,
                id,
            )
    dropped = await find_dead_letter(database, id)
    if dropped["state"] == "replayed":
        raise ServiceError(Code.FAILED_PRECONDITION, "DEAD_LETTER_REPLAYED", "the dead letter is replayed")
    if is_open:
        log.info("a dead letter is dropped", audit="dead-letter", action="drop", id=str(id), actor=actor)
    return dropped


def _is_dropped() -> ServiceError:
    return ServiceError(Code.FAILED_PRECONDITION, "DEAD_LETTER_DROPPED", "the dead letter is dropped")


def _delivery_of(letter: asyncpg.Record) -> FailedDelivery:
    return FailedDelivery(
        consumer=letter["consumer"],
        event_id=letter["event_id"],
        type=letter["type"],
        subject=letter["subject"],
        key=letter["key"],
        payload=letter["payload"],
        headers=json.loads(letter["headers"]),
        stream=letter["stream"],
        stream_sequence=letter["stream_sequence"],
    )


def _replay_failed(cause: BaseException) -> ServiceError:
    return ServiceError(Code.FAILED_PRECONDITION, "REPLAY_FAILED", f"the replay failed: {cause_of(cause)}")
