"""How far behind events are: numbers that the database and the broker are asked for when somebody reads them."""

from collections.abc import Sequence

from weft_runtime.events.bus import Bus
from weft_runtime.events.durable import find_durable
from weft_runtime.events.handle_once import Reader
from weft_runtime.storage.database import Database
from weft_runtime.telemetry.metrics import Metrics, Values


def observe_events(metrics: Metrics, database: Database, bus: Bus, readers: Sequence[Reader]) -> None:
    """What is away when they are read has no value then."""

    async def dead_letters() -> Values:
        rows = await database.fetch(
            """select consumer, state, count(*) as count from dead_letters
               where state in ('retrying', 'open') group by consumer, state"""
        )
        return {(row["consumer"], row["state"]): row["count"] for row in rows}

    async def unpublished() -> Values:
        rows = await database.fetch("select count(*) as count from outbox where published_at is null")
        return {(): rows[0]["count"]}

    async def oldest() -> Values:
        rows = await database.fetch(
            """select coalesce(extract(epoch from now() - min(created_at)), 0)::float8 as age
               from outbox where published_at is null"""
        )
        return {(): max(0.0, rows[0]["age"])}

    async def of_consumers(field: str) -> Values:
        values: dict[tuple[str, ...], float] = {}
        for reader in readers if bus.is_connected else ():
            info = await find_durable(bus, reader.contract.stream, reader.consumer)
            if info:
                values[(reader.consumer,)] = info[field]
        return values

    async def pending() -> Values:
        return await of_consumers("num_pending")

    async def in_flight() -> Values:
        return await of_consumers("num_ack_pending")

    by_state = ["consumer", "state"]
    metrics.ask("weft_outbox_unpublished", "Events that wait in the outbox", [], unpublished)
    metrics.ask("weft_outbox_oldest_seconds", "Age of the oldest event that waits in the outbox", [], oldest)
    metrics.ask(
        "weft_dead_letters", "Events whose handling failed, by consumer and state", by_state, dead_letters
    )
    metrics.ask(
        "weft_consumer_pending", "Events that a consumer has not been given yet", ["consumer"], pending
    )
    metrics.ask(
        "weft_consumer_in_flight",
        "Events that a consumer was given and has not acknowledged",
        ["consumer"],
        in_flight,
    )
