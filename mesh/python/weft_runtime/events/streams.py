"""The stream of a package: as mesh/runtime/events/streams.ts makes it, and filled again when it has lost events."""

from dataclasses import dataclass
from typing import Any

from weft_runtime.events.bus import STREAM_NOT_FOUND, Bus, JetStreamError
from weft_runtime.events.event_contract import EventContract
from weft_runtime.events.publish_round import UNTIL_ALL_ARE_FREE, lock_all_partitions
from weft_runtime.storage.database import Database, Transaction
from weft_runtime.telemetry.log import Log

_second = 1_000_000_000
#: How long events stay in their stream and in the outbox, in seconds.
RETENTION = 7 * 24 * 3_600
_recovered_at_once = 10_000


@dataclass(slots=True)
class Instance:
    """A stream as this process has seen it."""

    #: When it was made, as the server wrote it.
    created: str
    #: The highest sequence that was acknowledged.
    last_sequence: int = 0


async def is_intact(bus: Bus, stream: str, known: Instance) -> bool:
    """Whether the stream is the known instance and still reaches as far as this process has seen it."""
    info = await _find(bus, stream)
    return bool(
        info and info["created"] == known.created and info["state"]["last_seq"] >= known.last_sequence
    )


async def recover_stream(
    database: Database, bus: Bus, contract: EventContract, replicas: int, log: Log
) -> tuple[Instance, int]:
    """
    Makes sure that the stream exists and holds, or will hold again, every row that was published to it. JetStream
    acknowledges before it syncs to disk, and its store may be lost; the outbox keeps rows for as long as the stream
    keeps events, so it can give back what is gone: all of it to another instance of the stream, what lies beyond its
    last sequence to the same one. All partitions are locked meanwhile, so nothing newer gets in before older rows.

    :returns: the stream, and how many events it had lost
    """
    stream = contract.stream
    async with database.transaction(**UNTIL_ALL_ARE_FREE) as tx:
        await lock_all_partitions(tx)
        info = await _ensure(bus, contract, replicas)
        created, last = info["created"], info["state"]["last_seq"]
        known = await tx.fetch("select created_at from outbox_streams where stream = $1", stream)
        last_kept = last if known and known[0]["created_at"] == created else -1
        lost = await _unmark_lost(tx, stream, last_kept)
        if lost:
            log.warn("the stream has lost events; publishing them again", stream=stream, events=lost)
        log.info("the stream is ready", stream=stream, lastSequence=last)
        await tx.execute(
            """insert into outbox_streams (stream, created_at) values ($1, $2)
               on conflict (stream) do update set created_at = excluded.created_at""",
            stream,
            created,
        )
    return Instance(created), lost


async def _ensure(bus: Bus, contract: EventContract, replicas: int) -> dict[str, Any]:
    """
    Creates the stream, or updates it when its settings differ. File storage, limits retention, discard new: what was
    acknowledged is never dropped for newer events.
    """
    wanted = {
        "name": contract.stream,
        "subjects": [contract.stream_subjects],
        "retention": "limits",
        "storage": "file",
        "discard": "new",
        "duplicate_window": 120 * _second,
        "max_age": RETENTION * _second,
        "max_bytes": 256 * 1024 * 1024,
        "max_msg_size": 1024 * 1024,
        "num_replicas": replicas,
    }
    info = await _find(bus, contract.stream)
    if info is None:
        unlimited = {"max_consumers": -1, "max_msgs": -1, "max_msgs_per_subject": -1}
        return await bus.ask(f"STREAM.CREATE.{contract.stream}", wanted | unlimited)
    if all(info["config"].get(name) == value for name, value in wanted.items()):
        return info
    return await bus.ask(f"STREAM.UPDATE.{contract.stream}", info["config"] | wanted)


async def _find(bus: Bus, stream: str) -> dict[str, Any] | None:
    try:
        return await bus.ask(f"STREAM.INFO.{stream}")
    except JetStreamError as error:
        if error.code == STREAM_NOT_FOUND:
            return None
        raise


async def _unmark_lost(tx: Transaction, stream: str, last_kept: int) -> int:
    """A batch at a time: seven days of events are more than one statement may take the time for."""
    lost = 0
    while True:
        command = await tx.execute(
            """update outbox set published_at = null, stream_sequence = null where id in (
                 select id from outbox where stream = $1 and published_at is not null and stream_sequence > $2 limit $3
               )""",
            stream,
            last_kept,
            _recovered_at_once,
        )
        batch = int(command.split()[1])
        lost += batch
        if batch < _recovered_at_once:
            return lost
