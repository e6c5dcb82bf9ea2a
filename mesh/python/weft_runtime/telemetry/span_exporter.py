"""
Sends spans to a collector over OTLP/HTTP, a batch at a time. What waits is bounded: while the collector is away or
slow, the newest spans are dropped and counted. Nobody waits for it, and nothing it answers is an error of ours.
"""

import asyncio
import contextlib
import http.client
import random
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1 import trace_pb2

from weft_runtime.background import in_background
from weft_runtime.telemetry.log import Log
from weft_runtime.telemetry.settings import TelemetrySettings
from weft_runtime.telemetry.span import Attributes, Span

#: Answers after which the same batch is worth another try (OTLP specification, "Failures").
_retriable = frozenset({429, 502, 503, 504})
_longest_pause = 30.0
#: How long ``stop`` tries to send what is left, in seconds.
_last_try = 2.0
# SpanFlags: the bits beyond W3C's that say whether the parent is in another process.
_has_is_remote, _is_remote = 0x100, 0x200


@dataclass(slots=True)
class ExportCounts:
    """What became of spans."""

    exported: int = 0
    #: Given up because too many waited.
    dropped: int = 0
    #: Given up because the collector did not take them.
    refused: int = 0


class SpanExporter:
    """Takes spans and sends them until it is stopped."""

    def __init__(self, settings: TelemetrySettings, url: str, resource: Attributes, log: Log) -> None:
        self.counts = ExportCounts()
        self._settings = settings
        self._url = url
        self._resource = resource
        self._log = log
        self._waiting: list[Span] = []
        self._full = asyncio.Event()
        self._failures = 0
        self._running = in_background(self._run())

    def add(self, span: Span) -> None:
        """Never throws, never waits."""
        if len(self._waiting) >= self._settings.queue_limit:
            self.counts.dropped += 1
            return
        self._waiting.append(span)
        if len(self._waiting) >= self._settings.batch_limit:
            self._full.set()

    async def stop(self) -> None:
        """Sends what waits, for two seconds at most."""
        self._running.cancel()
        await asyncio.wait([self._running])
        end = time.monotonic() + _last_try
        self._failures = 0
        while self._waiting and self._failures == 0 and (left := end - time.monotonic()) > 0:
            await self._send(left)
        self.counts.dropped += len(self._waiting)
        self._waiting.clear()

    async def _run(self) -> None:
        while True:
            pause = self._settings.delay
            if self._failures:
                pause = min(_longest_pause, 2 ** min(self._failures - 1, 5)) * random.uniform(0.75, 1.25)
                await asyncio.sleep(pause)
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._full.wait(), pause)
            self._full.clear()
            if self._waiting:
                await self._send(self._settings.timeout)

    async def _send(self, timeout: float) -> None:
        batch = self._waiting[: self._settings.batch_limit]
        del self._waiting[: len(batch)]
        try:
            status = await asyncio.to_thread(self._post, encode_traces(self._resource, batch), timeout)
            problem = f"HTTP {status}"
        except (OSError, http.client.HTTPException) as error:
            status, problem = 0, type(error).__name__
        except asyncio.CancelledError:
            self._put_back(batch)
            raise
        if 200 <= status < 300:
            self._failures = 0
            self.counts.exported += len(batch)
            if len(self._waiting) >= self._settings.batch_limit:
                self._full.set()
            return
        if self._failures == 0:
            self._log.warn("the collector does not take spans; calls go on without", problem=problem)
        self._failures += 1
        if status == 0 or status in _retriable:
            self._put_back(batch)
        else:
            self.counts.refused += len(batch)

    def _put_back(self, batch: list[Span]) -> None:
        room = max(0, self._settings.queue_limit - len(self._waiting))
        self.counts.dropped += max(0, len(batch) - room)
        self._waiting[:0] = batch[:room]

    def _post(self, body: bytes, timeout: float) -> int:
        parts = urlsplit(self._url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=timeout)
        try:
            headers = {**self._settings.headers, "content-type": "application/x-protobuf"}
            connection.request("POST", parts.path or "/", body, headers)
            return connection.getresponse().status
        finally:
            connection.close()


def encode_traces(resource: Attributes, spans: list[Span]) -> bytes:
    """ExportTraceServiceRequest in Protobuf's binary format."""
    scope = trace_pb2.ScopeSpans(
        scope=InstrumentationScope(name="weft"), spans=[_encode(span) for span in spans]
    )
    of_process = trace_pb2.ResourceSpans(
        resource=Resource(attributes=_attributes(resource)), scope_spans=[scope]
    )
    return ExportTraceServiceRequest(resource_spans=[of_process]).SerializeToString()


def _encode(span: Span) -> trace_pb2.Span:
    attributes: Attributes = {**span.type.attributes, **span.more, "weft.request.id": span.request_id}
    encoded = trace_pb2.Span(
        trace_id=bytes.fromhex(span.trace_id),
        span_id=bytes.fromhex(span.span_id),
        parent_span_id=bytes.fromhex(span.parent_span_id),
        name=span.type.name,
        kind=trace_pb2.Span.SpanKind.ValueType(span.type.kind),
        start_time_unix_nano=span.started_at,
        end_time_unix_nano=span.ended_at,
        flags=int(span.sampled),
    )
    if span.parent_span_id:
        encoded.flags |= _has_is_remote | (_is_remote if span.parent_is_remote else 0)
    if span.error is not None:
        attributes = {**attributes, "error.type": span.error}
        encoded.status.code = trace_pb2.Status.STATUS_CODE_ERROR
    encoded.attributes.extend(_attributes(attributes))
    return encoded


def _attributes(attributes: Attributes) -> list[KeyValue]:
    return [KeyValue(key=name, value=_value(value)) for name, value in attributes.items()]


def _value(value: str | int | float | bool) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(string_value=value)
