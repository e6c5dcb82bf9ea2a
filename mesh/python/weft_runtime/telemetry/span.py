"""A span: one piece of work of a trace, in the terms of OpenTelemetry's data model."""

from collections.abc import Mapping
from dataclasses import dataclass

#: By names of the semantic conventions. Never a value that a person typed.
Attributes = Mapping[str, str | int | float | bool]

#: Values of Span.SpanKind in opentelemetry/proto/trace/v1/trace.proto.
INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5


@dataclass(frozen=True, slots=True)
class SpanType:
    """What a span is called and what is known of it before it starts; shared by all spans alike."""

    name: str
    kind: int
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class Span:
    """A span that has ended. Times in nanoseconds since 1970."""

    type: SpanType
    trace_id: str
    span_id: str
    #: Empty for the root of a trace.
    parent_span_id: str
    parent_is_remote: bool
    started_at: int
    ended_at: int
    more: Attributes
    #: Value of error.type: a code or a class, never a text. None: the work did not fail.
    error: str | None
    request_id: str
    sampled: bool
