"""Work that goes on beside calls and events. None of it may end by an error that nobody has thought of, unnoticed."""

import asyncio
import logging
import signal
from collections.abc import Coroutine
from typing import Any

#: Whether such work has failed, so that the state of the process is not known any more.
_failed = False


def in_background(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Starts ``work``; an error that it does not catch ends the process, in order, and whoever supervises it begins anew."""
    task = asyncio.create_task(work)
    task.add_done_callback(_end_with)
    return task


def has_failed() -> bool:
    """Whether background work has ended the process."""
    return _failed


def _end_with(task: asyncio.Task[None]) -> None:
    global _failed
    error = None if task.cancelled() else task.exception()
    if error is None or _failed:
        return
    _failed = True
    logging.getLogger("weft").critical("uncaught error", exc_info=error)
    signal.raise_signal(signal.SIGTERM)
