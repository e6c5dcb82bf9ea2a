"""What becomes of a try, with a database that only knows whether an event was handled."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from shop.order.v1.events_pb2 import OrderPlaced

from weft_runtime.events.cloud_events import CloudEvent
from weft_runtime.events.event_contract import event_contract
from weft_runtime.events.handle_once import EventContext, HandlerFailure, Reader, Try, handle_once
from weft_runtime.telemetry.log import create_log
from weft_runtime.telemetry.tracer import Tracer

CONTRACT = event_contract(OrderPlaced)
EVENT = CloudEvent("e1", CONTRACT.type, datetime.now(UTC), "k1", 1, None, None, b"")


class Memory:
    """Commits what a transaction has claimed, unless it throws."""

    def __init__(self) -> None:
        self.handled: set[object] = set()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["Memory"]:
        before = set(self.handled)
        try:
            yield self
        except BaseException:
            self.handled = before
            raise

    async def fetch(self, sql: str, consumer: str, event_id: str, *_: object) -> list[dict[str, bool]]:
        fresh = event_id not in self.handled
        self.handled.add(event_id)
        return [{"fresh": fresh}]


def handle(
    memory: Memory, handler: Callable[[Any, EventContext], Awaitable[None]], ack_wait: float = 30
) -> bool:
    policy = replace(CONTRACT.consumers[0], ack_wait=ack_wait)
    log = create_log("shelf", "silent")
    reader = Reader("shelf__placed", CONTRACT, policy, handler, memory, log, Tracer(1, None))  # type: ignore[arg-type]
    return asyncio.run(handle_once(reader, Try(EVENT, OrderPlaced(), 1, {})))


def test_an_event_has_its_effect_once() -> None:
    effects: list[str] = []

    async def note(event: OrderPlaced, context: EventContext) -> None:
        effects.append(context.id)

    memory = Memory()
    assert handle(memory, note)
    assert not handle(memory, note)
    assert effects == ["e1"]


def test_a_handler_that_throws_undoes_its_claim() -> None:
    async def fail(event: OrderPlaced, context: EventContext) -> None:
        raise KeyError("x")

    memory = Memory()
    with pytest.raises(HandlerFailure) as failed:
        handle(memory, fail)
    assert isinstance(failed.value.__cause__, KeyError)
    assert not memory.handled


def test_a_handler_that_takes_too_long_fails_and_says_so() -> None:
    async def sleep(event: OrderPlaced, context: EventContext) -> None:
        await asyncio.sleep(60)

    async def time_out(event: OrderPlaced, context: EventContext) -> None:
        raise TimeoutError("of somebody else")

    for handler, ack_wait, text in ((sleep, 0.01, "longer than 0.01 s"), (time_out, 60, "of somebody else")):
        memory = Memory()
        with pytest.raises(HandlerFailure) as failed:
            handle(memory, handler, ack_wait=ack_wait)
        assert text in str(failed.value.__cause__)
        assert not memory.handled
