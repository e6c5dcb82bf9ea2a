"""What belongs to one request and travels with it: ids, deadline. Kept in a context variable, so that log lines
and rows carry it without every function passing it on."""

import re
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from weft_runtime.telemetry.tracer import LocalTrace


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Context of the request being served."""

    #: Joins everything done for one request (header X-Request-ID).
    request_id: str
    #: 32 hex digits.
    trace_id: str
    #: 16 hex digits: the span of this process; parent of spans downstream.
    span_id: str
    sampled: bool
    #: When the work must be done, in seconds since 1970; None: no deadline.
    deadline: float | None = None
    #: Takes the spans of what is done; None where nobody collects them.
    trace: "LocalTrace | None" = None

    @property
    def traceparent(self) -> str:
        """Value of the header traceparent for what is caused within."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


_current: ContextVar[RequestContext | None] = ContextVar("request", default=None)


def current_context() -> RequestContext | None:
    """Context of the running request; None outside of one."""
    return _current.get()


@contextmanager
def in_context(context: RequestContext) -> Iterator[RequestContext]:
    """Makes ``context`` the current one."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)


_request_id = re.compile(r"[\w.:-]{1,128}", re.ASCII)


def request_id_from(sent: str | None) -> str:
    """The request id that a caller sent, if it is one; else a new one."""
    return sent if sent and _request_id.fullmatch(sent) else str(uuid.uuid4())


def random_hex(count: int) -> str:
    """``count`` random bytes as hex digits."""
    return secrets.token_hex(count)
