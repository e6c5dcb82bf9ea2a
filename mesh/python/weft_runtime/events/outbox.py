"""Facts, recorded in the transaction that causes them. events/relay.py publishes them."""

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import cast

from google.protobuf.message import Message

from weft_runtime.events.commit_signal import announce
from weft_runtime.events.event_contract import EventContract, event_contract
from weft_runtime.storage.database import Database, Transaction
from weft_runtime.telemetry.context import current_context, random_hex
from weft_runtime.telemetry.span import PRODUCER, SpanType
from weft_runtime.uuid7 import uuid7

#: Parts of every outbox. A change needs an empty outbox: rows keep the part they were written with.
PARTITIONS = 16
#: In bytes: a message with its headers must fit the broker's 1 MiB.
_most_payload = 512 * 1024


def record_event(tx: Transaction, event: Message) -> None:
    """
    Adds an event to the running transaction: both commit or neither does.

    The row is inserted by the last statement before COMMIT, after every UPDATE. A transaction that changes an aggregate
    holds its row lock by then and draws the row's position under it: so the positions of one key stand in the order in
    which its transactions commit.

    :raises ValueError: for an event without its key, or larger than 512 KiB
    """
    contract = event_contract(type(event))
    key, payload = contract.key_of(event), event.SerializeToString(deterministic=True)
    if not key:
        raise ValueError(
            f"event {contract.type}: field {contract.key_field} orders events and must not be empty"
        )
    if len(payload) > _most_payload:
        raise ValueError(
            f"event {contract.type} has {len(payload)} bytes; at most {_most_payload} are allowed"
        )
    rows = cast(_Rows, tx.at_commit.setdefault("outbox", _Rows(tx.database)))
    rows.add(contract, key, contract.version_of(event), payload)


def partition_of(key: str) -> int:
    """Part of a key: the first four bytes of its SHA-256, modulo the number of parts."""
    return int.from_bytes(sha256(key.encode()).digest()[:4], "big") % PARTITIONS


@dataclass(slots=True)
class _Rows:
    """Events of one transaction."""

    database: Database
    values: list[tuple[object, ...]] = field(default_factory=list)

    def add(self, contract: EventContract, key: str, version: int | None, payload: bytes) -> None:
        event_id = uuid7()
        now = datetime.now(UTC)
        self.values.append(
            (
                event_id,
                contract.type,
                contract.subject,
                contract.stream,
                key,
                version,
                payload,
                json.dumps(_origin(str(event_id), contract.subject)),
                partition_of(key),
                now.replace(microsecond=now.microsecond // 1_000 * 1_000),
            )
        )

    async def before(self, tx: Transaction) -> None:
        columns = list(zip(*self.values, strict=True))
        await tx.execute(
            """insert into outbox (id, type, subject, stream, key, version, payload, headers, partition, created_at)
               select id, type, subject, stream, key, version, payload, headers, partition, created_at
               from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::numeric[],
                 $7::bytea[], $8::jsonb[], $9::smallint[], $10::timestamptz[]) with ordinality
                 as row (id, type, subject, stream, key, version, payload, headers, partition, created_at, n)
               order by n""",
            *columns,
        )

    def after(self) -> None:
        announce(self.database)


def _origin(event_id: str, subject: str) -> dict[str, str]:
    """Ids that go along with an event: of a span of its own where there is a trace."""
    context = current_context()
    if context is None:
        return {}
    if context.trace is None:
        return {"requestId": context.request_id, "traceparent": context.traceparent}
    span_id = random_hex(8)
    context.trace.add(
        event_span("create", "create", subject),
        span_id=span_id,
        parent=context.span_id,
        started_at=time.time_ns(),
        more={"messaging.message.id": event_id},
    )
    flags = "01" if context.sampled else "00"
    return {"requestId": context.request_id, "traceparent": f"00-{context.trace_id}-{span_id}-{flags}"}


def event_span(name: str, kind: str, subject: str) -> SpanType:
    """Span of an event by the semantic conventions for messaging: created here, then published, then processed."""
    return SpanType(
        f"{name} {subject}",
        PRODUCER,
        {
            "messaging.system": "nats",
            "messaging.operation.name": name,
            "messaging.operation.type": kind,
            "messaging.destination.name": subject,
        },
    )
