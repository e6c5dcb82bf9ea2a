"""
Numbers of a process, read by Prometheus at GET /metrics. The names are those of the TypeScript runtime
(mesh/runtime/telemetry/README.md), but for what Node alone has.
"""

import asyncio
import os
import resource
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from weft_runtime.telemetry.span import Attributes

disable_created_metrics()  # type: ignore[no-untyped-call]

#: Upper bounds in seconds: what the semantic conventions advise for calls.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
#: What cannot be read in this time, in seconds, is left out.
_collect_timeout = 2.0
#: Most callers that are told apart; identities are proven, so there are few.
_caller_limit = 64

#: Values of a gauge by its labels' values.
Values = Mapping[tuple[str, ...], float]
Read = Callable[[], Awaitable[Values]]


class Metrics:
    """Instruments of one process and their present values."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self._asked: list[tuple[str, str, tuple[str, ...], bool, Read]] = []
        self._callers: set[str] = set()
        self._calls = Histogram(
            "rpc_server_call_duration_seconds",
            "Duration of the calls that this process answers",
            ["rpc_system_name", "rpc_method", "weft_caller", "rpc_response_status_code", "error_type"],
            buckets=_BUCKETS,
            registry=self.registry,
        )

    def served(self, method: str, caller: str | None, code: str, fault: str | None, seconds: float) -> None:
        """A call was answered. ``fault``: the code, where that is this side's fault."""
        name = caller or "unknown"
        if name not in self._callers and len(self._callers) >= _caller_limit:
            name = "other"
        self._callers.add(name)
        self._calls.labels("grpc", method, name, code, fault or "").observe(seconds)

    def counter(self, name: str, help: str, labels: Iterable[str] = ()) -> Counter:
        """Counts what happens; Prometheus' "_total" is added to the name."""
        return Counter(name, help, list(labels), registry=self.registry)

    def ask(self, name: str, help: str, labels: Iterable[str], read: Read, total: bool = False) -> None:
        """A gauge, or a counter (``total``), whose values are asked for when somebody reads them."""
        self._asked.append((name, help, tuple(labels), total, read))

    def value(self, name: str, help: str, read: Callable[[], float], total: bool = False) -> None:
        """The same for a single value that is at hand."""

        async def values() -> Values:
            return {(): read()}

        self.ask(name, help, (), values, total)

    async def text(self) -> bytes:
        """Present values in Prometheus' text format 0.0.4."""
        asked = await asyncio.gather(*(_family(*each) for each in self._asked))
        families = [family for family in (*self.registry.collect(), *asked) if family and family.samples]
        answers = CollectorRegistry(auto_describe=False)
        answers.register(_Families(families))
        return generate_latest(answers)


class _Families:
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


async def _family(name: str, help: str, labels: tuple[str, ...], total: bool, read: Read) -> Metric | None:
    kind = CounterMetricFamily if total else GaugeMetricFamily
    family = kind(name, help, labels=labels)
    try:
        async with asyncio.timeout(_collect_timeout):
            for values, number in (await read()).items():
                family.add_metric(values, number)
    except Exception:  # what is away when it is read has no value then
        return None
    return family


def observe_process(metrics: Metrics, resource_: Attributes) -> None:
    """Figures of the process by the semantic conventions, and what runs (target_info)."""
    began = time.monotonic()

    async def cpu() -> Values:
        used = os.times()
        return {("user",): used.user, ("system",): used.system}

    metrics.ask("process_cpu_time_seconds", "CPU time by mode", ["cpu_mode"], cpu, total=True)
    metrics.value("process_memory_usage_bytes", "Resident memory", resident_bytes)
    metrics.value("process_uptime_seconds", "Time since the process began", lambda: time.monotonic() - began)
    shown = {
        name: str(value)
        for name, value in resource_.items()
        if name.startswith(("service.", "process.runtime."))
    }

    async def target() -> Values:
        return {tuple(shown.values()): 1}

    metrics.ask("target_info", "What runs", [name.replace(".", "_") for name in shown], target)


def resident_bytes() -> float:
    """Resident memory now where the system tells it (Linux), else the most there ever was."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024
