import os
import platform
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from weft_runtime.telemetry.log import Log
from weft_runtime.telemetry.metrics import Metrics, Values, observe_process
from weft_runtime.telemetry.settings import TelemetrySettings, read_telemetry_settings
from weft_runtime.telemetry.span import Attributes
from weft_runtime.telemetry.span_exporter import SpanExporter
from weft_runtime.telemetry.tracer import Tracer


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Spans and numbers of one service."""

    tracer: Tracer
    metrics: Metrics
    _exporter: SpanExporter | None

    async def stop(self) -> None:
        """Sends the spans that wait, for two seconds at most."""
        if self._exporter:
            await self._exporter.stop()


def start_telemetry(service: str, env: Mapping[str, str], log: Log) -> Telemetry:
    """:raises ConfigError: naming the variables that are wrong"""
    settings = read_telemetry_settings(env)
    resource = _resource(service, settings)
    metrics = Metrics()
    observe_process(metrics, resource)
    if settings.traces_url is None:
        return Telemetry(Tracer(settings.ratio, None), metrics, None)
    exporter = SpanExporter(settings, settings.traces_url, resource, log)

    async def spans() -> Values:
        counts = exporter.counts
        return {
            ("exported",): counts.exported,
            ("dropped",): counts.dropped,
            ("refused",): counts.refused,
        }

    metrics.ask("weft_spans", "Spans by what became of them", ["outcome"], spans, total=True)
    return Telemetry(Tracer(settings.ratio, exporter.add), metrics, exporter)


def _resource(service: str, settings: TelemetrySettings) -> Attributes:
    """Semantic conventions for resources."""
    return {
        **settings.resource,
        "service.name": service,
        "service.version": settings.version,
        "service.instance.id": settings.instance_id,
        "host.name": socket.gethostname(),
        "process.pid": os.getpid(),
        "process.runtime.name": platform.python_implementation().lower(),
        "process.runtime.version": platform.python_version(),
        "telemetry.sdk.name": "weft",
        "telemetry.sdk.language": "python",
        "telemetry.sdk.version": settings.version,
    }
