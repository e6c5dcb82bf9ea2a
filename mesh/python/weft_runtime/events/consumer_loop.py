"""
DESIGN

Reads one event for one service until it is stopped: binds to the durable consumer (and waits until its stream exists),
pulls no more than it can handle at once, and starts over whenever that ends. Events with the same key are handled one
after the other within this process.

Watchdog: a durable consumer may be deleted, lost with the store, or present but stuck (nats-server issue 4736). The
loop looks every 10 s, pulls anew after the first suspicion and recreates the consumer after the second.
"""

import asyncio
import json
import random
import time
from typing import Any

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeout
from prometheus_client import Counter

from weft_runtime.background import in_background
from weft_runtime.events.bus import Bus, JetStreamError, header_of
from weft_runtime.events.deliver import deliver
from weft_runtime.events.durable import bind_durable, delete_durable, find_durable
from weft_runtime.events.handle_once import Reader

_watch_interval = 10.0
#: A redelivery that is late by so many seconds will not come any more.
_redelivery_grace = 30.0
#: Life of a request for events, in seconds; without an answer some time after that, the bus is not what it was.
_pull_expires, _pull_grace = 4.0, 2.0
#: Statuses of the server that end a request as it should end: no messages, its time is over.
_ends = {"404", "408"}


class ConsumerLoop:
    """Reads until ``stop``. ``concurrency``: deliveries handled at once; each holds a database connection."""

    def __init__(
        self, reader: Reader, bus: Bus, concurrency: int, deliveries: Counter, restarts: Counter
    ) -> None:
        self._reader = reader
        self._bus = bus
        self._concurrency = concurrency
        self._deliveries = deliveries
        self._restarts = restarts
        self._in_hand: set[asyncio.Task[None]] = set()
        self._last_of_key: dict[str, asyncio.Task[None]] = {}
        self._stopped = False
        self._seen: tuple[tuple[int, int], float] = ((-1, -1), 0)
        self._suspicions = 0
        self._pulling: asyncio.Task[None] | None = None
        self._running = [in_background(self._run()), in_background(self._watch())]

    async def stop(self) -> None:
        """Takes no more events, finishes those in hand, ends."""
        self._stopped = True
        for task in self._running:
            task.cancel()
        await asyncio.wait(self._running)
        if self._in_hand:
            await asyncio.wait(self._in_hand)

    async def _run(self) -> None:
        failures, reported = 0, ""
        reader = self._reader
        while True:
            try:
                await self._bus.connected()
                await bind_durable(self._bus, reader.consumer, reader.contract, reader.policy)
                failures, reported = 0, ""
                self._pulling = asyncio.create_task(self._pull())
                try:
                    await self._pulling
                except asyncio.CancelledError:
                    if not self._pulling.cancelled() or self._stopped:
                        self._pulling.cancel()
                        raise
                await asyncio.sleep(0.05)
            except Exception as error:
                problem = str(error) or type(error).__name__
                if problem != reported:
                    stream = reader.contract.stream
                    reader.log.info(
                        "cannot read events; trying again",
                        consumer=reader.consumer,
                        stream=stream,
                        problem=problem,
                    )
                reported = problem
                await asyncio.sleep(min(2.0, 0.1 * 2 ** min(failures, 10)) * random.uniform(0.5, 1.5))
                failures += 1

    async def _pull(self) -> None:
        inbox = self._bus.client.new_inbox()
        subscription = await self._bus.subscribe(inbox)
        try:
            while True:
                while len(self._in_hand) >= self._concurrency:
                    await asyncio.wait(self._in_hand, return_when=asyncio.FIRST_COMPLETED)
                await self._request(subscription, inbox, self._concurrency - len(self._in_hand))
        finally:
            await self._let_go(subscription)

    async def _request(self, subscription: Subscription, inbox: str, batch: int) -> None:
        """Asks for up to ``batch`` events and takes them. :raises JetStreamError: when there is no consumer"""
        contract, consumer = self._reader.contract, self._reader.consumer
        request = {"batch": batch, "expires": round(_pull_expires * 1e9)}
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{contract.stream}.{consumer}"
        await self._bus.client.publish(subject, json.dumps(request).encode(), reply=inbox)
        end = time.monotonic() + _pull_expires + _pull_grace
        for _ in range(batch):
            try:
                message = await subscription.next_msg(timeout=max(0.001, end - time.monotonic()))
            except NatsTimeout:
                return  # the request is lost with a connection, perhaps
            status = header_of(message, "Status")
            if status in _ends:
                return
            if status is not None:
                raise JetStreamError(0, int(status), header_of(message, "Description") or f"status {status}")
            self._take(message)

    def _take(self, message: Msg) -> None:
        key = header_of(message, "ce-partitionkey") or ""
        task = asyncio.create_task(self._handle(message, self._last_of_key.get(key), time.monotonic()))
        self._last_of_key[key] = task
        self._in_hand.add(task)

        def done(_: object) -> None:
            self._in_hand.discard(task)
            if self._last_of_key.get(key) is task:
                del self._last_of_key[key]

        task.add_done_callback(done)

    async def _handle(self, message: Msg, before: asyncio.Task[None] | None, received: float) -> None:
        if before:
            await asyncio.wait([before])
        try:
            if self._stopped:
                return await message.nak()
            if time.monotonic() - received > self._reader.policy.ack_wait / 4:
                await message.in_progress()
            outcome = await deliver(self._reader, message)
            self._deliveries.labels(self._reader.consumer, outcome).inc()
        except (NatsError, OSError) as error:
            self._reader.log.warn(
                "a delivery could not be answered", consumer=self._reader.consumer, err=error
            )

    async def _let_go(self, subscription: Subscription) -> None:
        """Gives back at once what came and was not taken; the server would wait for ack_wait."""
        try:
            while subscription.pending_msgs > 0:
                message = await subscription.next_msg(timeout=0.01)
                if header_of(message, "Status") is None:
                    await message.nak()
            await subscription.unsubscribe()
        except (NatsError, OSError, TimeoutError):
            pass  # with the connection the subscription is gone

    async def _watch(self) -> None:
        reader = self._reader
        while True:
            await asyncio.sleep(_watch_interval)
            try:
                if not self._bus.is_connected or self._in_hand or self._pulling is None:
                    continue
                info = await find_durable(self._bus, reader.contract.stream, reader.consumer)
                self._suspicions = self._suspicions + 1 if info is None or self._is_stuck(info) else 0
                if self._suspicions == 0:
                    continue
                reader.log.warn(
                    "a consumer is missing or stuck; starting it anew",
                    consumer=reader.consumer,
                    missing=info is None,
                )
                self._restarts.labels(reader.consumer).inc()
                if info and self._suspicions > 1:
                    await delete_durable(self._bus, reader.contract.stream, reader.consumer)
                self._pulling.cancel()
            except Exception as error:
                reader.log.debug("the watchdog could not look", consumer=reader.consumer, err=error)

    def _is_stuck(self, info: dict[str, Any]) -> bool:
        policy = self._reader.policy
        now = (info["delivered"]["consumer_seq"], info["ack_floor"]["stream_seq"])
        if now != self._seen[0]:
            self._seen = (now, time.monotonic())
            return False
        in_flight = info["num_ack_pending"]
        if info["num_pending"] > 0 and in_flight < policy.max_ack_pending:
            return True
        # Longest time until an event that was not acknowledged has to come again.
        longest = max(policy.ack_wait, *policy.backoff) * 1.2 + _redelivery_grace
        return in_flight > 0 and time.monotonic() - self._seen[1] > longest
