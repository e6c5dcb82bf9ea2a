"""Which spans are sent, and as what."""

import asyncio
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from weft_runtime.telemetry.context import current_context
from weft_runtime.telemetry.log import create_log
from weft_runtime.telemetry.settings import read_telemetry_settings
from weft_runtime.telemetry.span import CLIENT, SERVER, Span, SpanType
from weft_runtime.telemetry.span_exporter import SpanExporter
from weft_runtime.telemetry.traceparent import parse_traceparent
from weft_runtime.telemetry.tracer import Tracer, in_span

WORK = SpanType("work", SERVER, {"known": "before"})
STEP = SpanType("step", CLIENT, {})
TRACE, PARENT = "a" * 32, "b" * 16


def spans_of(flags: str, *, slow_seconds: float = 60, fail: bool = False) -> list[Span]:
    sent: list[Span] = []
    tracer = Tracer(0, sent.append)
    parent = f"00-{TRACE}-{PARENT}-{flags}"
    with pytest.raises(KeyError) if fail else _nothing():  # noqa: SIM117 the error has to leave the work
        with tracer.run(WORK, request_id="r1", traceparent=parent, slow_seconds=slow_seconds), in_span(STEP):
            if fail:
                raise KeyError
    return sent


@contextmanager
def _nothing() -> Iterator[None]:
    yield


def test_a_chosen_trace_goes_on_under_its_parent() -> None:
    step, work = spans_of("01")
    assert (work.trace_id, work.parent_span_id, work.parent_is_remote) == (TRACE, PARENT, True)
    assert (step.trace_id, step.parent_span_id, step.parent_is_remote) == (TRACE, work.span_id, False)


def test_of_the_others_those_are_kept_that_fail_or_take_long() -> None:
    assert spans_of("00") == []
    assert [span.error for span in spans_of("00", fail=True)] == ["KeyError", "KeyError"]
    assert len(spans_of("00", slow_seconds=0)) == 2


def test_ids_that_are_none_are_replaced() -> None:
    context = Tracer(0, None).open(request_id="a\nb", traceparent=f"00-{'0' * 32}-{PARENT}-01")
    assert context.request_id != "a\nb"
    assert context.trace_id != "0" * 32
    assert parse_traceparent(context.traceparent)
    for text in (
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01-x",
        f"00-{TRACE.upper()}-{PARENT}-01",
        "",
    ):
        assert parse_traceparent(text) is None, text
    assert parse_traceparent(f"01-{TRACE}-{PARENT}-01-more")
    assert current_context() is None


def test_a_collector_gets_spans_by_otlp_and_one_that_is_away_costs_nothing() -> None:
    bodies: list[bytes] = []

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    async def export(port: int) -> SpanExporter:
        url = f"http://127.0.0.1:{port}"
        settings = read_telemetry_settings(
            {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_BSP_MAX_QUEUE_SIZE": "2"}
        )
        assert settings.traces_url == f"{url}/v1/traces"
        exporter = SpanExporter(
            settings, settings.traces_url, {"service.name": "shelf"}, create_log("x", "silent")
        )
        for span in spans_of("01", fail=True) * 2:
            exporter.add(span)
        await exporter.stop()
        return exporter

    server = http.server.HTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        counts = asyncio.run(export(server.server_port)).counts
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert (counts.exported, counts.dropped) == (2, 2)
    (of_process,) = ExportTraceServiceRequest.FromString(bodies[0]).resource_spans
    step, work = of_process.scope_spans[0].spans
    assert (step.name, work.name, work.trace_id.hex(), work.kind) == ("step", "work", TRACE, SERVER)
    assert {each.key: each.value.string_value for each in work.attributes} == {
        "known": "before",
        "weft.request.id": "r1",
        "error.type": "KeyError",
    }
    assert asyncio.run(export(server.server_port)).counts.dropped == 4
