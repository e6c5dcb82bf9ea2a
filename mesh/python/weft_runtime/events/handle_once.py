"""The effect of an event and its inbox row, in one transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from google.protobuf.message import Message

from weft_runtime.events.cloud_events import CloudEvent
from weft_runtime.events.event_contract import ConsumerPolicy, EventContract
from weft_runtime.events.inbox import claim_event
from weft_runtime.failpoint import failpoint
from weft_runtime.storage.database import LONGEST_STATEMENT_MS, Database, Transaction
from weft_runtime.telemetry.log import Log
from weft_runtime.telemetry.span import INTERNAL, SpanType
from weft_runtime.telemetry.tracer import Tracer, in_span


class PermanentEventError(Exception):
    """A handler throws this when trying again is useless: the event goes to the dead letters at once."""


class HandlerFailure(Exception):
    """A handler threw ``__cause__``; everything else that goes wrong around it is thrown as it is."""


@dataclass(frozen=True, slots=True)
class EventContext:
    """What a handler gets besides the event."""

    #: The transaction that also holds the event's inbox row.
    tx: Transaction
    id: str
    key: str
    version: int | None
    #: When the event was recorded.
    time: datetime
    #: 1 for the first try; failed tries are counted, redeliveries for other reasons are not.
    attempt: int
    headers: Mapping[str, str]


#: What a service does with an event. It writes through ``context.tx`` only: then its effect happens exactly once.
Handle = Callable[[Any, EventContext], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Reader:
    """One event as one service reads it."""

    consumer: str
    contract: EventContract
    policy: ConsumerPolicy
    handle: Handle
    database: Database
    log: Log
    tracer: Tracer


@dataclass(frozen=True, slots=True)
class Try:
    """One try to handle an event."""

    event: CloudEvent
    body: Message
    attempt: int
    headers: Mapping[str, str]
    #: Ends the transaction, also when the event is a duplicate: what must commit with the effect.
    settle: Callable[[Transaction], Awaitable[object]] | None = None
    #: Keeps the record of failed tries, which a delivery that succeeds makes superfluous.
    keep_failures: bool = False


async def handle_once(reader: Reader, attempt: Try) -> bool:
    """
    Runs the handler if this consumer has not handled the event before.

    :returns: False for a duplicate
    :raises HandlerFailure: when the handler throws or takes longer than ack_wait; errors of the database
    """
    event, policy = attempt.event, reader.policy
    limit = min(round(policy.ack_wait * 1_000), LONGEST_STATEMENT_MS)
    async with reader.database.transaction() as tx:
        fresh = await claim_event(tx, reader.consumer, event.id, limit, attempt.keep_failures)
        if fresh:
            context = EventContext(
                tx, event.id, event.key, event.version, event.time, attempt.attempt, attempt.headers
            )
            await _handle(reader, attempt.body, context)
        if attempt.settle:
            await attempt.settle(tx)
        if fresh:
            failpoint("inbox.commit.before")
    if fresh:
        failpoint("inbox.commit.after")
    return fresh


async def _handle(reader: Reader, body: Message, context: EventContext) -> None:
    limit = reader.policy.ack_wait
    try:
        # The handler's own work, without the inbox around it.
        with in_span(SpanType(f"handle {reader.consumer}", INTERNAL, {})):
            async with asyncio.timeout(limit) as clock:
                await reader.handle(body, context)
    except TimeoutError as raised:
        late = TimeoutError(f"the handler took longer than {limit:g} s")
        raise HandlerFailure("the handler failed") from (late if clock.expired() else raised)
    except Exception as error:
        raise HandlerFailure("the handler failed") from error
