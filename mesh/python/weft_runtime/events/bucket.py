"""
Follows a NATS key-value bucket: a plain subscription to its subjects, and a reading of everything after each connect.
It needs no right to make consumers. While the bus is away, what is known stays.
"""

import asyncio
import base64
from collections.abc import Callable

from nats.aio.msg import Msg

from weft_runtime.background import in_background
from weft_runtime.events.bus import NO_MESSAGE, STREAM_NOT_FOUND, Bus, JetStreamError
from weft_runtime.telemetry.log import Log

_look_every = 1.0
#: Entries read at the same time.
_reads_at_once = 16


class BucketFollower:
    """
    Follows a bucket until it is stopped.

    :param key: the one key to follow; None: all of them
    :param take: gets key and value of each entry, again after each connect
    """

    def __init__(
        self, bus: Bus, log: Log, bucket: str, key: str | None, take: Callable[[str, bytes], None]
    ) -> None:
        self._bus = bus
        self._log = log
        self._bucket = bucket
        self._prefix = f"$KV.{bucket}."
        self._key = key
        self._take = take
        self._epoch = 0
        self._reported = ""
        self._subscribed_with: object = None
        #: Set when everything was read for the first time.
        self.loaded = asyncio.Event()
        self._running = in_background(self._run())

    def stop(self) -> None:
        self._running.cancel()

    async def _run(self) -> None:
        await self._bus.connected()
        while True:
            if self._bus.is_connected and self._bus.epoch != self._epoch:
                await self._attach()
            await asyncio.sleep(_look_every)

    async def _attach(self) -> None:
        wanted = self._bus.epoch
        try:
            if self._subscribed_with is not self._bus.client:
                # First, so that nothing is missed between reading and listening.
                await self._bus.subscribe(f"{self._prefix}{self._key or '>'}", self._heard)
                self._subscribed_with = self._bus.client
            subjects = [f"{self._prefix}{self._key}"] if self._key else await self._subjects()
            gate = asyncio.Semaphore(_reads_at_once)
            await asyncio.gather(*(self._read(subject, gate) for subject in subjects))
            self._epoch = wanted
            self.loaded.set()
            if self._reported:
                self._log.info("a bucket can be read again", bucket=self._bucket)
            self._reported = ""
        except Exception as error:
            problem = str(error) or type(error).__name__
            if problem != self._reported:
                self._log.warn(
                    "a bucket cannot be read; going on with what was known",
                    bucket=self._bucket,
                    problem=problem,
                )
            self._reported = problem

    async def _heard(self, message: Msg) -> None:
        self._take(message.subject.removeprefix(self._prefix), message.data)

    async def _subjects(self) -> list[str]:
        try:
            filter_ = {"subjects_filter": f"{self._prefix}>"}
            info = await self._bus.ask(f"STREAM.INFO.KV_{self._bucket}", filter_)
        except JetStreamError as error:
            if error.code == STREAM_NOT_FOUND:
                return []
            raise
        return list(info["state"].get("subjects") or {})

    async def _read(self, subject: str, gate: asyncio.Semaphore) -> None:
        async with gate:
            try:
                found = await self._bus.ask(f"STREAM.MSG.GET.KV_{self._bucket}", {"last_by_subj": subject})
            except JetStreamError as error:
                # Its time was over between the list and now, or nobody has written yet.
                if error.code in (NO_MESSAGE, STREAM_NOT_FOUND):
                    return
                raise
        self._take(subject.removeprefix(self._prefix), base64.b64decode(found["message"].get("data") or ""))
