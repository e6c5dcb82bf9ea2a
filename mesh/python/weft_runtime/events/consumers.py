"""The consuming side of a service: which events it reads, and the loops that read them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

from weft_runtime.events.bus import Bus
from weft_runtime.events.consumer_loop import ConsumerLoop
from weft_runtime.events.event_contract import event_contract
from weft_runtime.events.handle_once import EventContext, Handle, PermanentEventError, Reader
from weft_runtime.storage.database import Database
from weft_runtime.telemetry.log import Log
from weft_runtime.telemetry.metrics import Metrics
from weft_runtime.telemetry.tracer import Tracer

__all__ = ["Consumers", "EventContext", "EventHandler", "PermanentEventError", "on", "readers_of"]

#: Deliveries handled at once for each event.
_concurrency = 4


@dataclass(frozen=True, slots=True)
class EventHandler:
    """An event and what a service does with it. Made by ``on``."""

    schema: type[Message]
    handle: Handle


def on(schema: type[Message], handle: Handle) -> EventHandler:
    """
    Says what a service does with an event.

    The handler writes through ``context.tx`` only: then its effect happens exactly once. Effects elsewhere happen at
    least once; give them ``context.id`` as their idempotency key. Events of one key normally come in order, but a
    failed one is passed by its successors: compare ``context.version``.
    """
    return EventHandler(schema, handle)


def readers_of(
    service: str, database: Database, handlers: Sequence[EventHandler], log: Log, tracer: Tracer
) -> list[Reader]:
    """
    What reads each event that a service has a handler for.

    :raises ValueError: when a contract does not name ``service`` as a consumer, or an event has two handlers
    """
    readers: list[Reader] = []
    for handler in handlers:
        contract = event_contract(handler.schema)
        policy = next((each for each in contract.consumers if each.service == service), None)
        if policy is None:
            raise ValueError(
                f"{service} handles {contract.type}, whose contract does not name it as a consumer"
            )
        name = contract.durable_name(service)
        if any(reader.consumer == name for reader in readers):
            raise ValueError(f"{service} has two handlers for {name}")
        readers.append(Reader(name, contract, policy, handler.handle, database, log, tracer))
    return readers


class Consumers:
    """The running consumers of a process. NATS and the streams may appear later."""

    def __init__(self, readers: Sequence[Reader], bus: Bus, metrics: Metrics) -> None:
        deliveries = metrics.counter(
            "weft_consumer_deliveries", "Events handed to a consumer, by outcome", ["consumer", "outcome"]
        )
        restarts = metrics.counter(
            "weft_consumer_restarts",
            "Times that a consumer was missing or stuck and was started anew",
            ["consumer"],
        )
        self._loops = [ConsumerLoop(reader, bus, _concurrency, deliveries, restarts) for reader in readers]

    async def stop(self) -> None:
        """Takes no more events, finishes those in hand, ends."""
        await asyncio.gather(*(loop.stop() for loop in self._loops))
