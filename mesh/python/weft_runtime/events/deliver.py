"""
DESIGN

One delivery of one event:

    decode → begin → claim in the inbox → handler → commit → ack

- The claim is there already: the effect is, too. Ack.
- The handler fails: roll back, count the failure in dead_letters, nak with the contract's backoff.
- It failed for the last time, or trying again is useless (malformed, PermanentEventError): the row in dead_letters
  becomes "open", then term.
- The database is away or asks for another try: nothing is counted, nak.

Nothing is acknowledged before it is stored; a delivery that ends in any other way comes again after ack_wait.
"""

import contextlib
import random
import time
from collections.abc import Mapping

from google.protobuf.message import DecodeError, Message
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from weft_runtime.events.cloud_events import CloudEvent, MalformedEvent, decode_cloud_event
from weft_runtime.events.dead_letters import FailedDelivery, failures_of, record_failure
from weft_runtime.events.event_contract import EventContract
from weft_runtime.events.handle_once import HandlerFailure, PermanentEventError, Reader, Try, handle_once
from weft_runtime.failpoint import failpoint
from weft_runtime.storage.sql_state import is_transient
from weft_runtime.telemetry.context import in_context
from weft_runtime.telemetry.span import CONSUMER, SpanType
from weft_runtime.telemetry.tracer import error_type_of

#: What became of a delivery, seconds until the next try, and why it was not handled.
Outcome = tuple[str, float, BaseException | None]


async def deliver(reader: Reader, message: Msg) -> str:
    """Handles one delivery and answers it. Never throws. :returns: "handled", "duplicate", "retry" or "dead" """
    try:
        outcome, delay, _ = await _outcome_of(reader, message)
        if outcome == "retry":
            await message.nak(delay)
        elif outcome == "dead":
            await message.term()
        else:
            failpoint("consumer.ack.before")
            await message.ack()
            failpoint("consumer.ack.after")
        return outcome
    except Exception as error:
        # The database is away, or the connection to NATS: the delivery comes again either way.
        meta = message.metadata
        delay = _jitter(min(15.0, 0.125 * 2 ** min(meta.num_delivered, 10)))
        reader.log.warn(
            "an event could not be handled now",
            consumer=reader.consumer,
            streamSequence=meta.sequence.stream,
            err=error,
            retryInMs=round(delay * 1_000),
        )
        # Without an answer the server delivers again after ack_wait.
        with contextlib.suppress(NatsError, OSError):
            await message.nak(delay)
        return "retry"


async def _outcome_of(reader: Reader, message: Msg) -> Outcome:
    event: CloudEvent | None = None
    try:
        event = decode_cloud_event(message.headers or {}, message.data)
        body = decode_body(reader.contract, event)
    except MalformedEvent as error:
        # With its id and key where they can be read: what is dropped stays dropped when its body can be read one day.
        return await _failed(reader, message, event, error)
    context = reader.tracer.open(
        request_id=event.request_id,
        traceparent=event.traceparent,
        deadline=time.time() + reader.policy.ack_wait,
    )
    error_: BaseException | None = None
    with in_context(context):
        try:
            outcome = await _try_to_handle(reader, message, event, body)
            error_ = outcome[2]
            return outcome
        except Exception as raised:
            error_ = raised
            raise
        finally:
            if context.trace:
                context.trace.end(
                    context.span_id,
                    process_span(message.subject, reader.consumer),
                    slow_seconds=reader.policy.ack_wait / 2,
                    error=error_type_of(error_) if error_ else None,
                    more={
                        "messaging.message.id": event.id,
                        "weft.delivery": message.metadata.num_delivered,
                    },
                )


async def _try_to_handle(reader: Reader, message: Msg, event: CloudEvent, body: Message) -> Outcome:
    attempt, delivered = 1, message.metadata.num_delivered
    if delivered > 1:
        attempt += await failures_of(reader.database, reader.consumer, event.id)
        # Counted before the try: what brings the process down cannot count itself.
        if delivered > attempt + 2 * reader.policy.max_deliver:
            lost = RuntimeError(f"delivered {delivered} times without an outcome")
            outcome = await _failed(reader, message, event, lost)
            if outcome[0] == "dead":
                return outcome
    try:
        began = time.perf_counter()
        fresh = await handle_once(reader, Try(event, body, attempt, headers_of(message)))
    except Exception as error:
        by_handler = isinstance(error, HandlerFailure)
        cause = error.__cause__ if by_handler and error.__cause__ else error
        if is_transient(cause, by_handler):
            raise cause  # noqa: B904 its own cause stays what it was
        return await _failed(reader, message, event, cause)
    outcome_ = "handled" if fresh else "duplicate"
    took = round((time.perf_counter() - began) * 1_000, 1)
    reader.log.info(
        "event", consumer=reader.consumer, eventId=event.id, attempt=attempt, outcome=outcome_, ms=took
    )
    return outcome_, 0, None


async def _failed(reader: Reader, message: Msg, event: CloudEvent | None, error: BaseException) -> Outcome:
    meta, policy = message.metadata, reader.policy
    useless = isinstance(error, (MalformedEvent, PermanentEventError))
    delivery = FailedDelivery(
        consumer=reader.consumer,
        event_id=event.id if event else f"{meta.stream}:{meta.sequence.stream}@{meta.timestamp.isoformat()}",
        type=event.type if event else reader.contract.type,
        subject=message.subject,
        key=event.key if event else "",
        payload=message.data,
        headers=headers_of(message),
        stream=meta.stream,
        stream_sequence=meta.sequence.stream,
    )
    most = 0 if useless else policy.max_deliver
    attempts, dead = await record_failure(reader.database, delivery, error, most)
    known = {
        "consumer": reader.consumer,
        "eventId": delivery.event_id,
        "streamSequence": delivery.stream_sequence,
        "attempts": attempts,
        "err": error,
    }
    if dead:
        reader.log.error("an event is given up; it is in dead_letters", **known)
        return "dead", 0, error
    delay = _jitter(policy.backoff[min(attempts, len(policy.backoff)) - 1])
    reader.log.warn("handling an event failed", **known, retryInMs=round(delay * 1_000))
    return "retry", delay, error


def decode_body(contract: EventContract, event: CloudEvent) -> Message:
    """
    The message of an event.

    :raises MalformedEvent: when it is not what its contract and its headers say
    """
    if event.type != contract.type:
        raise MalformedEvent(f'the type is "{event.type[:200]}", not "{contract.type}"')
    try:
        body = contract.schema.FromString(event.data)
    except DecodeError as error:
        raise MalformedEvent(f"the body is not a {contract.type}") from error
    if contract.key_of(body) != event.key:
        raise MalformedEvent("the body's key differs from ce-partitionkey")
    version = contract.version_of(body)
    if version is not None and event.version is not None and version != event.version:
        raise MalformedEvent("the body's version differs from ce-sequence")
    return body


def headers_of(message: Msg) -> Mapping[str, str]:
    """Headers of a message, names in lower case."""
    return {name.lower(): str(value) for name, value in (message.headers or {}).items()}


def process_span(subject: str, consumer: str) -> SpanType:
    """Span of a delivery, by the semantic conventions for messaging."""
    return SpanType(
        f"process {subject}",
        CONSUMER,
        {
            "messaging.system": "nats",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": subject,
            "messaging.consumer.group.name": consumer,
        },
    )


def _jitter(seconds: float) -> float:
    """Within a fifth, so that what failed together is not tried together."""
    return seconds * random.uniform(0.8, 1.2)
