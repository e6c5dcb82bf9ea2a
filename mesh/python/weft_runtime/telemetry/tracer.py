"""
A process's part of a trace begins with work that comes in and is a LocalTrace in the request's context.

Whether a trace is recorded is decided where it begins and travels in traceparent's sampled flag. Errors and slow
work are kept from the others, too: their spans are held until the incoming work ends, and then sent or dropped.
"""

import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from weft_runtime.storage.sql_state import sql_state_of
from weft_runtime.telemetry.context import (
    RequestContext,
    current_context,
    in_context,
    random_hex,
    request_id_from,
)
from weft_runtime.telemetry.span import Attributes, Span, SpanType
from weft_runtime.telemetry.traceparent import parse_traceparent

#: Most spans of one LocalTrace that are held while it is not known whether they will be sent.
_held_limit = 128


class LocalTrace:
    """Spans of one piece of incoming work."""

    def __init__(
        self, sink: Callable[[Span], None], trace_id: str, parent: str, sampled: bool, request_id: str
    ) -> None:
        self._sink = sink
        self._trace_id = trace_id
        self._parent = parent
        self._sampled = sampled
        self._request_id = request_id
        self._started_at = time.time_ns()
        self._keep = sampled
        self._ended = False
        self._held: list[Span] = []

    def add(
        self,
        type: SpanType,
        *,
        span_id: str,
        parent: str,
        started_at: int,
        more: Attributes | None = None,
        error: str | None = None,
        keep: bool = False,
    ) -> None:
        """Adds a span of work within. ``keep``: somebody will want to see the whole trace."""
        span = self._span(type, span_id or random_hex(8), parent, False, started_at, more, error)
        self._keep = self._keep or keep
        if self._sampled or (self._ended and self._keep):
            self._sink(span)
        elif not self._ended and len(self._held) < _held_limit:
            self._held.append(span)

    def end(
        self,
        span_id: str,
        type: SpanType,
        *,
        slow_seconds: float,
        more: Attributes | None = None,
        error: str | None = None,
    ) -> None:
        """The incoming work is done: its spans are sent if the trace was chosen, something failed, or it was slow."""
        if self._ended:
            return
        self._ended = True
        held, self._held = self._held, []
        span = self._span(type, span_id, self._parent, self._parent != "", self._started_at, more, error)
        slow = span.ended_at - span.started_at > slow_seconds * 1e9
        self._keep = self._keep or error is not None or slow
        if self._keep:
            for each in [*held, span]:
                self._sink(each)

    def _span(
        self,
        type: SpanType,
        span_id: str,
        parent: str,
        remote: bool,
        started_at: int,
        more: Attributes | None,
        error: str | None,
    ) -> Span:
        return Span(
            type=type,
            trace_id=self._trace_id,
            span_id=span_id,
            parent_span_id=parent,
            parent_is_remote=remote,
            started_at=started_at,
            ended_at=time.time_ns(),
            more=more or {},
            error=error,
            request_id=self._request_id,
            sampled=self._sampled,
        )


class Tracer:
    """Begins a process's part of traces. ``ratio``: share of the traces beginning here that are recorded."""

    def __init__(self, ratio: float, sink: Callable[[Span], None] | None) -> None:
        self._ratio = ratio
        self._sink = sink

    def open(
        self, *, request_id: str | None, traceparent: str | None, deadline: float | None = None
    ) -> RequestContext:
        """Context for work that arrives with these ids. What is missing or malformed is replaced by new ones."""
        parent = parse_traceparent(traceparent)
        trace_id = parent.trace_id if parent else random_hex(16)
        sampled = parent.sampled if parent else random.random() < self._ratio
        request = request_id_from(request_id)
        above = parent.span_id if parent else ""
        trace = LocalTrace(self._sink, trace_id, above, sampled, request) if self._sink else None
        return RequestContext(request, trace_id, random_hex(8), sampled, deadline, trace)

    @contextmanager
    def run(
        self,
        type: SpanType,
        *,
        request_id: str | None,
        traceparent: str | None,
        slow_seconds: float,
        deadline: float | None = None,
        more: Attributes | None = None,
    ) -> Iterator[RequestContext]:
        """Runs what is within as this process's part of a trace, under a span of ``type``."""
        context = self.open(request_id=request_id, traceparent=traceparent, deadline=deadline)
        error: str | None = None
        with in_context(context):
            try:
                yield context
            except BaseException as raised:
                error = error_type_of(raised)
                raise
            finally:
                if context.trace:
                    context.trace.end(
                        context.span_id, type, slow_seconds=slow_seconds, more=more, error=error
                    )


@contextmanager
def in_span(type: SpanType, more: Attributes | None = None) -> Iterator[None]:
    """Runs what is within under a span of its own; outside of a trace it is just run."""
    outer = current_context()
    if outer is None or outer.trace is None:
        yield
        return
    span_id, started_at = random_hex(8), time.time_ns()
    error: str | None = None
    with in_context(replace(outer, span_id=span_id)):
        try:
            yield
        except BaseException as raised:
            error = error_type_of(raised)
            raise
        finally:
            outer.trace.add(
                type,
                span_id=span_id,
                parent=outer.span_id,
                started_at=started_at,
                more=more,
                error=error,
                keep=error is not None,
            )


def error_type_of(error: BaseException) -> str:
    """Value of error.type: the database's state, or the class. Texts hold values."""
    state = sql_state_of(error)
    return state if state and re.fullmatch(r"[\w.-]{1,64}", state) else type(error).__name__
