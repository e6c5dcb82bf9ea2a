import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Protocol

from weft_runtime.background import in_background


class Worker(Protocol):
    """A loop of a service."""

    def start(self) -> None: ...

    async def stop(self) -> None:
        """Ends when nothing is running any more."""


class PollingWorker:
    """
    Looks again and again until it is stopped; a look that failed is tried again, too.

    :param look: :returns: whether more waits already
    :param poll: seconds between two looks when nothing waits
    :param pause_after_error: seconds after a look that failed
    """

    def __init__(
        self,
        look: Callable[[], Awaitable[bool]],
        *,
        poll: float,
        pause_after_error: float,
        on_error: Callable[[Exception], None],
    ) -> None:
        self._look = look
        self._poll = poll
        self._pause_after_error = pause_after_error
        self._on_error = on_error
        self._stopping = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._running = self._running or in_background(self._run())

    async def stop(self) -> None:
        """A look under way ends as it would have."""
        self._stopping.set()
        if self._running:
            await self._running

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                wait = 0.0 if await self._look() else self._poll
            except Exception as error:
                self._on_error(error)
                wait = self._pause_after_error
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), wait)
