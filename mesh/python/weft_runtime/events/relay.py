"""
Moves rows from the outbox to their stream. It looks four times a second, and each commit of this process that recorded
events wakes it. Any number of relays, in any language, may work on one outbox.

Failures are of two kinds. The broker is away, slow or has lost the stream: everything pauses, and the streams are
checked before the next event. Or one event is refused: its key waits, and other keys go on.
"""

import asyncio
import contextlib
import random
import time
from collections.abc import Sequence

from google.protobuf.message import Message
from nats.errors import BadSubjectError, MaxPayloadError
from nats.errors import Error as NatsError

from weft_runtime.background import in_background
from weft_runtime.events.blocked_keys import BlockedKeys
from weft_runtime.events.bus import Bus, BusAway, JetStreamError
from weft_runtime.events.cloud_events import encode_cloud_event
from weft_runtime.events.commit_signal import commits_of
from weft_runtime.events.event_contract import event_contract
from weft_runtime.events.outbox import event_span
from weft_runtime.events.publish_round import OutboxRow, has_unpublished, publish_round
from weft_runtime.events.streams import Instance, is_intact, recover_stream
from weft_runtime.storage.database import Database
from weft_runtime.telemetry.log import Log
from weft_runtime.telemetry.metrics import Metrics
from weft_runtime.telemetry.tracer import Tracer

# Seconds.
_poll = 0.25
_longest_pause = 5.0
_publish_timeout = 3.0
#: From which on a publishing is worth a look.
_slow_publish = 1.0
#: How often an idle relay makes sure that its streams are still there.
_check_every = 5.0


class Relay:
    """Publishes the events that a service records."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        events: Sequence[type[Message]],
        replicas: int,
        metrics: Metrics,
        tracer: Tracer,
        log: Log,
    ) -> None:
        """
        :param replicas: of the streams, in a cluster of NATS
        :raises ValueError: when a contract is wrong
        """
        self._database = database
        self._bus = bus
        self._contracts = {contract.stream: contract for contract in map(event_contract, events)}
        self._replicas = replicas
        self._tracer = tracer
        self._log = log
        self._blocked = BlockedKeys()
        #: Streams as they were looked at last, by name.
        self._instances: dict[str, Instance] = {}
        self._checked_at = float("-inf")
        self._epoch = -1
        self._published = metrics.counter("weft_outbox_published", "Events that a stream has acknowledged")
        self._recovered = metrics.counter(
            "weft_outbox_recovered", "Events that a stream has lost and gets again", ["stream"]
        )
        self._stopping = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to publish."""
        self._running = self._running or in_background(self._run())

    async def stop(self) -> None:
        """Finishes the round in progress and ends."""
        self._stopping.set()
        commits_of(self._database).set()
        if self._running:
            await self._running

    async def _run(self) -> None:
        committed = commits_of(self._database)
        failures = 0
        while not self._stopping.is_set():
            sure = committed.is_set()
            committed.clear()
            try:
                rest = await self._round(sure)
                failures = 0
            except Exception as error:
                self._checked_at = float("-inf")
                rest = min(_longest_pause, 0.1 * 2 ** min(failures, 10)) * (0.5 + random.random())
                failures += 1
                self._log.warn("the outbox cannot be published", err=error, retryInMs=round(rest * 1_000))
                # Commits must not cut the pause short.
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), rest)
                continue
            if rest:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(committed.wait(), rest)

    async def _round(self, sure: bool) -> float:
        """
        :param sure: a commit of this process said that something waits
        :returns: seconds to rest before the next one
        """
        bus = self._bus
        if not bus.is_connected:
            return _poll
        if self._epoch != bus.epoch or time.monotonic() - self._checked_at > _check_every:
            await self._check_streams()
        blocked = self._blocked.current()
        if not sure and not await has_unpublished(self._database, blocked):
            return _poll
        broken: list[Exception] = []

        async def publish(row: OutboxRow) -> int:
            try:
                return await self._publish(row)
            except Exception as error:
                if is_broker_trouble(error):
                    broken.append(error)
                raise

        def give_up() -> bool:
            lost = not bus.is_connected or bus.epoch != self._epoch
            return lost or bool(broken) or self._stopping.is_set()

        done = await publish_round(self._database, blocked, publish, give_up)
        self._published.inc(done.published)
        for key, problem in done.failed.items():
            if not is_broker_trouble(problem):
                wait = self._blocked.block(key)
                self._log.error(
                    "an event cannot be published; its key waits",
                    err=problem,
                    key=key,
                    retryInMs=wait * 1_000,
                )
        if broken:
            raise broken[0]
        return 0 if done.published else _poll

    async def _check_streams(self) -> None:
        epoch = self._bus.epoch
        for stream, contract in self._contracts.items():
            known = self._instances.get(stream)
            if known and await is_intact(self._bus, stream, known):
                continue
            self._instances[stream], lost = await recover_stream(
                self._database, self._bus, contract, self._replicas, self._log
            )
            if lost:
                self._recovered.labels(stream).inc(lost)
        self._epoch, self._checked_at = epoch, time.monotonic()

    async def _publish(self, row: OutboxRow) -> int:
        """Goes on in the trace of what caused the event: readers go on from the publishing."""
        event = row.event
        with self._tracer.run(
            event_span("publish", "send", row.subject),
            request_id=event.request_id,
            traceparent=event.traceparent,
            slow_seconds=_slow_publish,
            more={"messaging.message.id": event.id, "messaging.message.body.size": len(event.data)},
        ) as context:
            headers = encode_cloud_event(event, self._bus.service)
            headers |= {"Nats-Expected-Stream": row.stream}
            if context.trace:
                headers["ce-traceparent"] = context.traceparent
            ack = await self._bus.publish(row.subject, event.data, headers, _publish_timeout)
        sequence: int = ack["seq"]
        seen = self._instances.get(row.stream)
        if seen and not ack.get("duplicate"):
            if (
                sequence <= seen.last_sequence
            ):  # sequences only grow: another stream, or one that has lost its end
                self._checked_at = float("-inf")
            seen.last_sequence = max(seen.last_sequence, sequence)
        return sequence


def is_broker_trouble(error: Exception) -> bool:
    """
    Whether the broker is away, slow, has no such stream or cannot store anything, so that no event would fare better.
    Everything else is about the one event, also what nobody has thought of: it must not stop others.
    """
    if isinstance(error, JetStreamError):
        return error.status == 404 or error.status >= 500
    if isinstance(error, (MaxPayloadError, BadSubjectError)):
        return False
    return isinstance(error, (BusAway, NatsError, OSError, TimeoutError))
