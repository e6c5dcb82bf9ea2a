"""One round of a relay: some partitions of the outbox, taken, published and marked in one transaction."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from weft_runtime.events.cloud_events import CloudEvent
from weft_runtime.events.outbox import PARTITIONS
from weft_runtime.failpoint import failpoint
from weft_runtime.storage.database import LONGEST_STATEMENT_MS, Database, Transaction

#: First half of the advisory locks' key ("outb"); the second is the partition.
_lock_space = 0x6F757462
_most_rows = 256
#: Seconds after which a round begins no other event, so that its marks are safe from the idle limit.
_longest_round = 5.0
#: Leaves some partitions to other replicas.
_most_partitions = PARTITIONS // 2


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """An event on its way out."""

    id: UUID
    subject: str
    stream: str
    event: CloudEvent


@dataclass(slots=True)
class Round:
    """What became of one round."""

    published: int = 0
    #: The first failure of each key; later events of that key were left alone.
    failed: dict[str, Exception] = field(default_factory=dict)


#: Publishes a row. :returns: its sequence in the stream
Publish = Callable[[OutboxRow], Awaitable[int]]


async def has_unpublished(database: Database, blocked: Sequence[str]) -> bool:
    """What an idle relay asks, in place of a transaction."""
    rows = await database.fetch(
        "select exists (select 1 from outbox where published_at is null and not key = any($1::text[])) as waits",
        blocked,
    )
    return bool(rows[0]["waits"])


async def publish_round(
    database: Database, blocked: Sequence[str], publish: Publish, give_up: Callable[[], bool]
) -> Round:
    """
    Takes some partitions, publishes what is unpublished in them, and marks what the stream acknowledged. Events of one
    key go out one after the other, keys side by side. A crash between acknowledgement and commit repeats the event with
    the same Nats-Msg-Id: the stream drops it within two minutes, the readers' inboxes drop it later.

    :param give_up: asked before each event; true ends the round early
    """
    done = Round()
    # A relay that is stopped in its midst loses its locks, so that another one can go on. A lost mark only repeats an
    # event: no need to wait for the disk.
    settings = {"idle_in_transaction_session_timeout": "15s", "synchronous_commit": "off"}
    async with database.transaction(**settings) as tx:
        held = await _lock_some_partitions(tx, blocked)
        if not held:
            return done
        marks = await publish_rows(await _unpublished(tx, held, blocked), publish, give_up, done)
        if marks:
            await tx.execute(
                """update outbox set published_at = clock_timestamp(), stream_sequence = ack.sequence
                   from unnest($1::uuid[], $2::bigint[]) ack (id, sequence) where outbox.id = ack.id""",
                list(marks),
                list(marks.values()),
            )
        done.published = len(marks)
        failpoint("outbox.commit.before")
    failpoint("outbox.commit.after")
    return done


async def lock_all_partitions(tx: Transaction) -> None:
    """Waits until no relay publishes, and keeps all of them from it until the transaction ends."""
    for partition in range(PARTITIONS):
        await tx.execute("select pg_advisory_xact_lock($1::integer, $2::integer)", _lock_space, partition)


#: For a transaction whose statements wait longer than a round takes.
UNTIL_ALL_ARE_FREE = {
    "lock_timeout": f"{LONGEST_STATEMENT_MS}ms",
    "statement_timeout": f"{LONGEST_STATEMENT_MS}ms",
}


async def publish_rows(
    rows: Sequence[OutboxRow], publish: Publish, give_up: Callable[[], bool], done: Round
) -> dict[UUID, int]:
    """Publishes rows, each key in order. :returns: sequences of those that were acknowledged, by their ids"""
    by_key: dict[str, list[OutboxRow]] = {}
    for row in rows:
        by_key.setdefault(row.event.key, []).append(row)
    end = time.monotonic() + _longest_round
    marks: dict[UUID, int] = {}

    async def in_order(key: str) -> None:
        for row in by_key[key]:
            if give_up() or time.monotonic() > end:
                return
            failpoint("outbox.publish.before")
            try:
                marks[row.id] = await publish(row)
            except Exception as error:
                done.failed[key] = error
                return
            failpoint("outbox.publish.after")

    await asyncio.gather(*(in_order(key) for key in by_key))
    return marks


async def _lock_some_partitions(tx: Transaction, blocked: Sequence[str]) -> list[int]:
    rows = await tx.fetch(
        """select partition from (
             select partition from (
               select distinct partition from outbox where published_at is null and not key = any($1::text[])
             ) pending order by random() limit $2
           ) drawn where pg_try_advisory_xact_lock($3::integer, partition::integer)""",
        blocked,
        _most_partitions,
        _lock_space,
    )
    return [row["partition"] for row in rows]


async def _unpublished(tx: Transaction, held: Sequence[int], blocked: Sequence[str]) -> list[OutboxRow]:
    """A statement of its own, after the locks: it must see what their last holder has marked."""
    rows = await tx.fetch(
        """select id, type, subject, stream, key, version::text, payload, headers, created_at from outbox
           where published_at is null and partition = any($1::smallint[]) and not key = any($2::text[])
           order by position limit $3 for update skip locked""",
        held,
        blocked,
        _most_rows,
    )
    return [
        OutboxRow(
            row["id"],
            row["subject"],
            row["stream"],
            CloudEvent(
                id=str(row["id"]),
                type=row["type"],
                time=row["created_at"],
                key=row["key"],
                version=None if row["version"] is None else int(row["version"]),
                request_id=(headers := json.loads(row["headers"])).get("requestId"),
                traceparent=headers.get("traceparent"),
                data=row["payload"],
            ),
        )
        for row in rows
    ]
