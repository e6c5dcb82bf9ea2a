"""The outbox over a real database and a real bus: test/polyglot/python/events.test.ts has both."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from shop.order.v1.events_pb2 import OrderPlaced

from weft_runtime.events.bus import Bus, JetStreamError
from weft_runtime.events.commit_signal import commits_of
from weft_runtime.events.event_contract import event_contract
from weft_runtime.events.event_tables import CREATE_EVENT_TABLES
from weft_runtime.events.outbox import partition_of, record_event
from weft_runtime.events.prune import prune_event_tables
from weft_runtime.events.publish_round import OutboxRow, publish_round
from weft_runtime.events.relay import Relay
from weft_runtime.events.streams import recover_stream
from weft_runtime.idempotency.stored_replies import (
    CREATE_STORED_REPLIES,
    KeyedCall,
    find_reply,
    insert_reply,
)
from weft_runtime.rpc.errors import ServiceError
from weft_runtime.storage.database import Database, Migration, open_database
from weft_runtime.telemetry.log import create_log
from weft_runtime.telemetry.metrics import Metrics
from weft_runtime.telemetry.start_telemetry import start_telemetry

DATABASE, NATS = os.environ.get("WEFT_TEST_DATABASE_URL", ""), os.environ.get("WEFT_TEST_NATS_URL", "")
pytestmark = pytest.mark.skipif(
    not (DATABASE and NATS), reason="needs a database and a bus: npm run polyglot"
)

STREAM = "SHOP_ORDER_V1"
LOG = create_log("order", "silent")


@asynccontextmanager
async def parts() -> AsyncIterator[tuple[Database, Bus]]:
    tables = Migration("MigrationOfTheTest", (*CREATE_EVENT_TABLES, *CREATE_STORED_REPLIES))
    database = await open_database(DATABASE, (tables,), LOG)
    await database.execute("truncate outbox, outbox_streams, stored_replies")
    bus = Bus(NATS, "order", LOG)
    await bus.connected()
    try:
        await remove_stream(bus)
        yield database, bus
    finally:
        await bus.close()
        await database.close()


def relay_of(database: Database, bus: Bus) -> tuple[Relay, Metrics]:
    telemetry = start_telemetry("order", {}, LOG)
    return Relay(database, bus, [OrderPlaced], 1, telemetry.metrics, telemetry.tracer, LOG), telemetry.metrics


async def remove_stream(bus: Bus) -> None:
    try:
        await bus.ask(f"STREAM.DELETE.{STREAM}")
    except JetStreamError as error:
        assert error.status == 404, error


async def record(database: Database, *events: OrderPlaced) -> None:
    async with database.transaction() as tx:
        for event in events:
            record_event(tx, event)


async def unpublished(database: Database) -> int:
    count: int = (await database.fetch("select count(*) from outbox where published_at is null"))[0][0]
    return count


async def until(done: Callable[[], Awaitable[bool]]) -> None:
    """Looks until it is so; what tells of it is in another process."""
    async with asyncio.timeout(120):
        while not await done():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def until_published(database: Database) -> None:
    async def done() -> bool:
        return await unpublished(database) == 0

    await until(done)


async def streamed(bus: Bus) -> list[tuple[str, int]]:
    """Key and version of what the stream holds, in its order."""
    state = (await bus.ask(f"STREAM.INFO.{STREAM}"))["state"]
    held = []
    for sequence in range(state["first_seq"], state["last_seq"] + 1):
        message = (await bus.ask(f"STREAM.MSG.GET.{STREAM}", {"seq": sequence}))["message"]
        event = OrderPlaced.FromString(base64.b64decode(message["data"]))
        held.append((event.order_id, event.version))
    return held


async def counted(metrics: Metrics, name: str) -> float:
    lines = (await metrics.text()).decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def test_several_relays_publish_each_event_once_and_each_key_in_order() -> None:
    async def run() -> None:
        async with parts() as (database, bus):
            relays = [relay_of(database, bus)[0] for _ in range(3)]
            for relay in relays:
                relay.start()
            for version in range(1, 21):
                await record(database, *(OrderPlaced(order_id=f"k{n}", version=version) for n in range(8)))
            await until_published(database)
            for relay in relays:
                await relay.stop()
            held = await streamed(bus)
            assert len(held) == 160
            for n in range(8):
                assert [version for key, version in held if key == f"k{n}"] == list(range(1, 21))

    asyncio.run(run())


def test_events_of_one_transaction_leave_in_the_order_in_which_they_were_recorded() -> None:
    async def run() -> None:
        async with parts() as (database, bus):
            # Ids must not decide: later rows get lower ones.
            await record(database, *(OrderPlaced(order_id="k", version=version) for version in range(1, 31)))
            await database.execute("update outbox set id = lpad(to_hex(99 - version::int), 32, '0')::uuid")
            relay, _ = relay_of(database, bus)
            relay.start()
            await until_published(database)
            await relay.stop()
            assert [version for _, version in await streamed(bus)] == list(range(1, 31))

    asyncio.run(run())


def test_a_transaction_that_rolls_back_leaves_no_event() -> None:
    async def run() -> None:
        async with parts() as (database, _):
            with pytest.raises(ZeroDivisionError):
                async with database.transaction() as tx:
                    record_event(tx, OrderPlaced(order_id="k", version=1))
                    raise ZeroDivisionError
            assert await unpublished(database) == 0
            assert not commits_of(database).is_set()
            await record(database, OrderPlaced(order_id="k", version=1))
            assert await unpublished(database) == 1
            assert commits_of(database).is_set()

    asyncio.run(run())


def test_no_other_round_touches_the_partition_of_one_that_is_under_way() -> None:
    async def run() -> None:
        async with parts() as (database, _):
            await record(database, OrderPlaced(order_id="k", version=1))
            began, end = asyncio.Event(), asyncio.Event()
            published: list[str] = []

            async def slowly(row: OutboxRow) -> int:
                began.set()
                await end.wait()
                published.append("first")
                return 1

            async def at_once(row: OutboxRow) -> int:
                published.append("second")
                return 2

            first = asyncio.create_task(publish_round(database, [], slowly, lambda: False))
            await began.wait()
            # Of the same key, so that only the lock of its partition keeps it back.
            await record(database, OrderPlaced(order_id="k", version=2))
            assert (await publish_round(database, [], at_once, lambda: False)).published == 0
            end.set()
            assert (await first).published == 1
            assert (await publish_round(database, [], at_once, lambda: False)).published == 1
            assert published == ["first", "second"]

    asyncio.run(run())


def test_a_stream_waits_for_rounds_under_way_before_it_is_filled_again() -> None:
    async def run() -> None:
        async with parts() as (database, bus):
            await record(database, OrderPlaced(order_id="k", version=1))
            began, end = asyncio.Event(), asyncio.Event()

            async def slowly(row: OutboxRow) -> int:
                began.set()
                await end.wait()
                return 1

            first = asyncio.create_task(publish_round(database, [], slowly, lambda: False))
            await began.wait()
            contract = event_contract(OrderPlaced)
            filling = asyncio.create_task(recover_stream(database, bus, contract, 1, LOG))
            waits = """select count(*) from pg_locks where locktype = 'advisory' and not granted
                       and classid = x'6f757462'::bigint::oid and objid = $1"""

            async def waiting() -> bool:
                assert not filling.done()
                return bool((await database.fetch(waits, partition_of("k")))[0][0])

            await until(waiting)
            end.set()
            await first
            # What that round has marked is not in this stream: it was made afterwards.
            assert (await filling)[1] == 1

    asyncio.run(run())


def test_a_stream_that_is_lost_gets_all_again_and_one_that_lost_its_end_gets_that() -> None:
    async def run() -> None:
        async with parts() as (database, bus):
            relay, metrics = relay_of(database, bus)
            relay.start()
            everything = [("k", version) for version in range(1, 6)]
            for key, version in everything:
                await record(database, OrderPlaced(order_id=key, version=version))
            await until_published(database)
            await relay.stop()
            await remove_stream(bus)

            relay, metrics = relay_of(database, bus)
            relay.start()

            async def recovered() -> bool:
                return await counted(metrics, "weft_outbox_recovered_total") == 5

            await until(recovered)
            await until_published(database)
            assert await streamed(bus) == everything
            assert await counted(metrics, "weft_outbox_published_total") == 5
            await relay.stop()

            contract = event_contract(OrderPlaced)

            async def lost() -> int:
                return (await recover_stream(database, bus, contract, 1, LOG))[1]

            assert await lost() == 0
            # Rows at 5 and 6, as if what reached 6 had not been written to disk.
            await database.execute(
                "update outbox set stream_sequence = stream_sequence + 1 where version > 3"
            )
            assert await lost() == 1
            # Another instance may reach as far as the one that it came in the place of.
            await database.execute("update outbox_streams set created_at = 'before'")
            assert await lost() == 4

    asyncio.run(run())


def test_only_old_published_rows_are_pruned() -> None:
    async def run() -> None:
        async with parts() as (database, bus):
            await recover_stream(database, bus, event_contract(OrderPlaced), 1, LOG)
            await record(database, *(OrderPlaced(order_id="k", version=version) for version in (1, 2, 3)))
            await database.execute(
                """update outbox set stream_sequence = version::bigint,
                     published_at = now() - case when version = 1 then $1::interval else $2::interval end
                   where version < 3""",
                timedelta(days=8),
                timedelta(days=6),
            )
            await prune_event_tables(database)
            kept = await database.fetch("select version::int from outbox order by version")
            assert [row["version"] for row in kept] == [2, 3]

    asyncio.run(run())


def test_a_reply_is_kept_for_a_day_and_one_in_the_making_is_waited_for() -> None:
    call = KeyedCall("user", "library.v1.LendingService/LendBook", "key", b"asked")

    async def run() -> None:
        async with parts() as (database, _):
            async with database.transaction() as tx:
                await insert_reply(tx, call, b"reply")
                with pytest.raises(ServiceError) as refused:
                    async with database.transaction() as other:
                        await insert_reply(other, call, b"another")
                assert refused.value.reason == "IDEMPOTENCY_KEY_IN_FLIGHT"
            assert await find_reply(database, call) == b"reply"
            await database.execute("update stored_replies set created_at = now() - interval '25 hours'")
            assert await find_reply(database, call) is None

    asyncio.run(run())
