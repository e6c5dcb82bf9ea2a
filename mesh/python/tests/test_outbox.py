"""What is written into the outbox, and in which order it leaves. The rest is in test_events_over_a_real_bus.py."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from nats.errors import BadSubjectError, MaxPayloadError, NoRespondersError
from shop.order.v1.events_pb2 import OrderConfirmed, OrderPlaced

from weft_runtime.events.blocked_keys import BlockedKeys
from weft_runtime.events.bus import BusAway, JetStreamError
from weft_runtime.events.cloud_events import CloudEvent, decode_cloud_event, encode_cloud_event
from weft_runtime.events.outbox import partition_of, record_event
from weft_runtime.events.publish_round import OutboxRow, Round, publish_rows
from weft_runtime.events.relay import is_broker_trouble
from weft_runtime.storage.database import AtCommit
from weft_runtime.uuid7 import uuid7


class Written:
    """A transaction that keeps what is executed."""

    def __init__(self) -> None:
        self.database = object()
        self.at_commit: dict[str, AtCommit] = {}
        self.columns: Sequence[Any] = ()

    async def execute(self, sql: str, *values: Any) -> str:
        self.columns = values
        return f"INSERT 0 {len(values[0])}"

    def commit(self) -> None:
        for each in self.at_commit.values():
            asyncio.run(each.before(self))  # type: ignore[arg-type]


def test_events_are_written_at_the_end_in_the_order_in_which_they_were_recorded() -> None:
    tx = Written()
    record_event(tx, OrderPlaced(order_id="b", version=1))  # type: ignore[arg-type]
    record_event(tx, OrderConfirmed(order_id="a", version=2))  # type: ignore[arg-type]
    assert not tx.columns
    tx.commit()
    _ids, types, subjects, streams, keys, versions, payloads, headers, partitions, _times = tx.columns
    assert types == ("shop.order.v1.OrderPlaced", "shop.order.v1.OrderConfirmed")
    assert subjects == ("shop.order.v1.order_placed", "shop.order.v1.order_confirmed")
    assert set(streams) == {"SHOP_ORDER_V1"}
    assert (keys, versions) == (("b", "a"), (1, 2))
    assert OrderPlaced.FromString(payloads[0]).order_id == "b"
    assert [json.loads(each) for each in headers] == [{}, {}]
    assert partitions == (partition_of("b"), partition_of("a"))


def test_what_cannot_be_an_event_is_refused_at_once() -> None:
    tx = Written()
    with pytest.raises(ValueError, match="order_id orders events"):
        record_event(tx, OrderPlaced())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at most 524288"):
        record_event(tx, OrderPlaced(order_id="a", customer_id="x" * 600_000))  # type: ignore[arg-type]
    assert not tx.at_commit


@pytest.mark.parametrize(("key", "partition"), [("", 2), ("a", 2), ("0190-key", 8), ("kü ", 2)])
def test_keys_are_in_the_parts_that_all_languages_give_them(key: str, partition: int) -> None:
    assert partition_of(key) == partition


def test_what_is_encoded_is_decoded_again() -> None:
    time = datetime(2026, 11, 28, 10, 0, 0, 5_000, UTC)
    event = CloudEvent("e1", "shop.order.v1.OrderPlaced", time, 'k% ü"', 4, "r1", "00-1-2-01", b"body")
    headers = encode_cloud_event(event, "order")
    assert headers["ce-time"] == "2026-11-28T10:00:00.005Z"
    assert headers["ce-partitionkey"] == "k%25%20%C3%BC%22"
    assert headers["ce-sequence"] == "00000000000000000004"
    assert decode_cloud_event(headers, b"body") == event


def rows(*keys: str) -> list[OutboxRow]:
    now = datetime.now(UTC)
    return [
        OutboxRow(uuid7(), "s", "S", CloudEvent(str(n), "t", now, key, None, None, None, b""))
        for n, key in enumerate(keys)
    ]


def test_a_key_stays_in_order_and_waits_behind_its_failure_while_others_go_on() -> None:
    sent: list[str] = []

    async def publish(row: OutboxRow) -> int:
        await asyncio.sleep(0)
        if row.event.id == "2":
            raise MaxPayloadError
        sent.append(row.event.id)
        return len(sent)

    done = Round()
    marks = asyncio.run(publish_rows(rows("a", "b", "a", "a", "b"), publish, lambda: False, done))
    assert sent == ["0", "1", "4"]
    assert len(marks) == 3
    assert list(done.failed) == ["a"]


def test_a_round_that_is_given_up_begins_no_other_event() -> None:
    sent: list[str] = []

    async def publish(row: OutboxRow) -> int:
        sent.append(row.event.id)
        return 1

    asyncio.run(publish_rows(rows("a", "a", "a"), publish, lambda: len(sent) == 1, Round()))
    assert sent == ["0"]


def test_a_refused_key_waits_longer_each_time() -> None:
    blocked = BlockedKeys()
    assert [blocked.block("a") for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert blocked.block("b") == 1
    assert blocked.current() == ["a", "b"]


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (TimeoutError(), True),
        (ConnectionResetError(), True),
        (BusAway("not yet"), True),
        (NoRespondersError(), True),
        (JetStreamError(10_059, 404, "stream not found"), True),
        (JetStreamError(10_077, 503, "full"), True),
        (JetStreamError(10_054, 400, "message size exceeds maximum allowed"), False),
        (MaxPayloadError(), False),
        (BadSubjectError(), False),
        (ValueError("nobody has thought of it"), False),
    ],
)
def test_a_broker_in_trouble_is_told_from_one_that_refuses_an_event(error: Exception, trouble: bool) -> None:
    assert is_broker_trouble(error) is trouble
