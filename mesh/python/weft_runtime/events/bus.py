"""
A service's connection to NATS JetStream. It may be away at any time, also when the service starts: the bus keeps
trying in the background, and whoever uses it waits or tries again.
"""

import asyncio
import json
import random
from typing import Any
from urllib.parse import unquote, urlsplit

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from weft_runtime.background import in_background
from weft_runtime.telemetry.log import Log

# Codes of JetStream's errors (server/errors.json of nats-server).
CONSUMER_NOT_FOUND, NO_MESSAGE, STREAM_NAME_IN_USE, STREAM_NOT_FOUND = 10_014, 10_037, 10_058, 10_059


class BusAway(Exception):
    """The bus has no connection."""


class JetStreamError(Exception):
    """JetStream refuses. ``code``: its own, ``status``: like HTTP's."""

    def __init__(self, code: int, status: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.status = status


class Bus:
    """Connection of one service; replies go to _INBOX.SERVICE.>, so that no service may read another's."""

    def __init__(self, url: str, service: str, log: Log) -> None:
        """:raises ValueError: when the URL cannot be parsed; its text, which holds a password, is not repeated"""
        self.service = service
        #: Counts connects: another value means that the server may have lost or kept anything in between.
        self.epoch = 0
        self._log = log
        self._target = _parse(url)
        self._client: Client | None = None
        self._up = asyncio.Event()
        self._closed = asyncio.Event()
        self._running = in_background(self._keep_connected())

    @property
    def is_connected(self) -> bool:
        """Whether the server can be reached now."""
        return self._up.is_set() and not self._closed.is_set()

    async def connected(self) -> None:
        """Waits until the server can be reached."""
        await self._up.wait()

    @property
    def client(self) -> Client:
        """:raises BusAway: before the first connect"""
        if self._client is None:
            raise BusAway("NATS has not been reached yet")
        return self._client

    async def ask(
        self, api: str, request: dict[str, Any] | None = None, timeout: float = 5
    ) -> dict[str, Any]:
        """
        Asks JetStream's API (https://docs.nats.io/reference/reference-protocols/nats_api_reference).

        :param api: what stands behind "$JS.API." in the subject
        :raises JetStreamError: when it refuses; BusAway or an error of the client when it is away
        """
        body = json.dumps(request).encode() if request is not None else b""
        reply = await self.client.request(f"$JS.API.{api}", body, timeout=timeout)
        return _checked(json.loads(reply.data))

    async def publish(
        self, subject: str, body: bytes, headers: dict[str, str] | None = None, timeout: float = 2
    ) -> dict[str, Any]:
        """
        Publishes into a stream and waits until it is stored.

        :returns: the acknowledgement: ``seq``, and ``duplicate`` for one that was there already
        :raises: like ``ask``
        """
        reply = await self.client.request(subject, body, timeout=timeout, headers=headers)
        return _checked(json.loads(reply.data))

    async def subscribe(self, subject: str, take: Any = None) -> Subscription:
        """Plain subscription; ``take`` is an async function of a message. Survives reconnects."""
        return await self.client.subscribe(subject, cb=take)

    async def close(self) -> None:
        """Sends what is pending, disconnects for good. Never throws."""
        self._closed.set()
        self._running.cancel()
        client = self._client
        if client and not client.is_closed:
            try:
                await asyncio.wait_for(client.drain() if client.is_connected else client.close(), 3)
            except (NatsError, OSError, TimeoutError):
                await client.close()
        await asyncio.wait([self._running])

    async def _keep_connected(self) -> None:
        """The client reconnects by itself; a connection that it gave up is replaced."""
        reported = ""

        async def on_error(error: Exception) -> None:
            nonlocal reported
            problem = str(error) or type(error).__name__
            if problem != reported:
                self._log.warn("NATS reports an error", problem=problem)
            reported = problem

        while not self._closed.is_set():
            gone = asyncio.Event()

            async def on_disconnect() -> None:
                if self._up.is_set() and not self._closed.is_set():
                    self._log.warn("lost the connection to NATS; reconnecting")
                self._up.clear()

            async def on_reconnect() -> None:
                self._connected()
                self._log.info("connected to NATS again")

            async def on_closed(gone: asyncio.Event = gone) -> None:
                self._up.clear()
                gone.set()

            try:
                self._client = await nats.connect(
                    **self._target,
                    name=self.service,
                    inbox_prefix=f"_INBOX.{self.service}",
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=random.uniform(0.25, 1.25),
                    connect_timeout=5,
                    ping_interval=5,
                    max_outstanding_pings=2,
                    error_cb=on_error,
                    disconnected_cb=on_disconnect,
                    reconnected_cb=on_reconnect,
                    closed_cb=on_closed,
                )
                reported = ""
                self._connected()
                self._log.info("connected to NATS")
                await gone.wait()
            except (NatsError, OSError, TimeoutError) as error:
                await on_error(error)
            if not self._closed.is_set():
                await asyncio.sleep(random.uniform(0.25, 1.25))

    def _connected(self) -> None:
        if not self._up.is_set():
            self.epoch += 1
        self._up.set()


def _checked(answer: dict[str, Any]) -> dict[str, Any]:
    error = answer.get("error")
    if error:
        raise JetStreamError(
            error.get("err_code", 0), error.get("code", 0), error.get("description", "refused")
        )
    return answer


def _parse(urls: str) -> dict[str, Any]:
    parsed = [urlsplit(url.strip()) for url in urls.split(",")]
    if any(each.scheme not in ("nats", "tls") or not each.hostname for each in parsed):
        raise ValueError("configuration: NATS_URL: must be nats://USER:PASSWORD@HOST:PORT")
    servers = [f"{each.scheme}://{each.hostname}:{each.port or 4222}" for each in parsed]
    first = parsed[0]
    if first.username is None:
        return {"servers": servers}
    return {"servers": servers, "user": unquote(first.username), "password": unquote(first.password or "")}


def header_of(message: Msg, name: str) -> str | None:
    """A header of a message, its name as it is written."""
    headers = message.headers
    value = headers.get(name) if headers else None
    return value if value is None else str(value)
