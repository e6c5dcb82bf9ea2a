"""Settings of the export of spans, by the names of OpenTelemetry's specification where it has one; the same as
mesh/runtime/telemetry/README.md lists."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from weft_runtime.settings_reader import SettingsReader


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """Where spans go; times in seconds."""

    #: URL that takes OTLP traces; None: nobody collects them.
    traces_url: str | None
    headers: Mapping[str, str]
    #: Share of the traces beginning here that are recorded, 0 to 1.
    ratio: float
    delay: float
    timeout: float
    queue_limit: int
    batch_limit: int
    version: str
    instance_id: str
    resource: Mapping[str, str]


def read_telemetry_settings(env: Mapping[str, str]) -> TelemetrySettings:
    """:raises ConfigError: naming every variable that is malformed, without its value"""
    read = SettingsReader(env)
    read.choice("OTEL_EXPORTER_OTLP_PROTOCOL", ("http/protobuf",), "http/protobuf")  # there is no other
    base = read.url("WEFT_OTLP_ENDPOINT", "http", "https") or read.url(
        "OTEL_EXPORTER_OTLP_ENDPOINT", "http", "https"
    )
    traces = read.url("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http", "https")
    off = env.get("OTEL_SDK_DISABLED", "").lower() == "true"
    ratio = read.decimal("OTEL_TRACES_SAMPLER_ARG", 0, 1, 0.01)
    settings = TelemetrySettings(
        traces_url=None if off else traces or (f"{base.rstrip('/')}/v1/traces" if base else None),
        headers=read.parsed("OTEL_EXPORTER_OTLP_HEADERS", _pairs, "must be NAME=VALUE,NAME=VALUE", {}),
        ratio=read.decimal("WEFT_TRACE_RATIO", 0, 1, ratio),
        delay=read.whole("OTEL_BSP_SCHEDULE_DELAY", 1, 600_000, 1_000) / 1_000,
        timeout=read.whole("OTEL_EXPORTER_OTLP_TIMEOUT", 1, 600_000, 10_000) / 1_000,
        queue_limit=read.whole("OTEL_BSP_MAX_QUEUE_SIZE", 1, 1_000_000, 4_096),
        batch_limit=read.whole("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1, 10_000, 512),
        version=env.get("WEFT_VERSION") or "dev",
        instance_id=env.get("WEFT_INSTANCE") or str(uuid.uuid4()),
        resource=read.parsed("OTEL_RESOURCE_ATTRIBUTES", _pairs, "must be NAME=VALUE,NAME=VALUE", {}),
    )
    read.finish()
    return settings


def _pairs(text: str) -> dict[str, str]:
    entries = [entry.strip().split("=", 1) for entry in text.split(",") if entry.strip()]
    if any(len(entry) != 2 or not entry[0] for entry in entries):
        raise ValueError(text)
    return {name.strip(): unquote(value.strip(), errors="strict") for name, value in entries}
