"""
Failures of event handling, kept in the consumer's own database so that nothing depends on how long the stream keeps
the message. A row is written with the first failure (state "retrying"), becomes "open" when the event is given up, and
is settled as "replayed" or "dropped" by an operator, or as "replayed" when a later delivery succeeds.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from weft_runtime.storage.database import Database
from weft_runtime.telemetry.log import message_of
from weft_runtime.uuid7 import uuid7

_cause_limit = 2_000
_history_limit = 20


@dataclass(frozen=True, slots=True)
class FailedDelivery:
    """A message whose handling failed."""

    consumer: str
    event_id: str
    type: str
    subject: str
    key: str
    payload: bytes
    headers: Mapping[str, str]
    stream: str
    stream_sequence: int


async def record_failure(
    database: Database,
    delivery: FailedDelivery,
    error: BaseException,
    most_attempts: int,
    actor: str | None = None,
) -> tuple[int, bool]:
    """
    Adds a failed try of an event and gives the event up when it was the last one.

    :param database: outside the handler's transaction, which has been rolled back
    :param most_attempts: tries after which the event is dead; 0 gives it up at once
    :param actor: who replayed the event; none for a delivery
    :returns: failed tries so far, and whether the event is now (or was already) dead
    """
    cause = cause_of(error)
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    entry = {"at": at, "cause": cause} | ({"actor": _storable(actor)} if actor else {})
    headers = {name: _storable(value) for name, value in delivery.headers.items()}
    rows = await database.fetch(
        """insert into dead_letters as d (id, consumer, event_id, type, subject, key, payload, headers, cause, attempts,
             history, state, stream, stream_sequence, dead_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9, 1, $10::jsonb,
             case when 1 >= $11 then 'open' else 'retrying' end, $12, $13, case when 1 >= $11 then now() end)
           on conflict (consumer, event_id) do update set
             cause = excluded.cause,
             attempts = d.attempts + 1,
             history = (case when jsonb_array_length(d.history) >= $14 then d.history - 0 else d.history end)
               || excluded.history,
             state = case when d.state = 'retrying' and d.attempts + 1 < $11 then 'retrying'
                          when d.state = 'dropped' then 'dropped'
                          when d.state = 'replayed' and d.settled_at > now() - interval '8 days' then 'replayed'
                          else 'open' end,
             dead_at = case when d.attempts + 1 >= $11 then coalesce(d.dead_at, now()) end,
             stream_sequence = excluded.stream_sequence,
             last_failed_at = now()
           returning attempts, state""",
        uuid7(),
        delivery.consumer,
        _storable(delivery.event_id),
        _storable(delivery.type),
        _storable(delivery.subject),
        _storable(delivery.key),
        delivery.payload,
        json.dumps(headers),
        cause,
        json.dumps([entry]),
        most_attempts,
        delivery.stream,
        delivery.stream_sequence,
        _history_limit,
    )
    return rows[0]["attempts"], rows[0]["state"] != "retrying"


async def failures_of(database: Database, consumer: str, event_id: str) -> int:
    """Failed tries of an event so far; 0 when none is on record."""
    rows = await database.fetch(
        "select attempts from dead_letters where consumer = $1 and event_id = $2", consumer, event_id
    )
    return rows[0]["attempts"] if rows else 0


def cause_of(error: BaseException) -> str:
    """What is kept of an error."""
    return _storable(f"{type(error).__name__}: {message_of(error)}"[:_cause_limit])


def _storable(text: str) -> str:
    """PostgreSQL stores neither NUL nor lone surrogates, and a dead letter must never be refused for its content."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "\N{REPLACEMENT CHARACTER}")
