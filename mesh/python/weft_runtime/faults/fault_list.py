"""Faults that are injected on purpose, as they stand on the bus (mesh/runtime/faults/README.md). Development only."""

import asyncio
import json
import random
import time
from dataclasses import dataclass
from typing import Any

from weft_runtime.events.bucket import BucketFollower
from weft_runtime.events.bus import Bus
from weft_runtime.rpc.errors import Code, Refusal
from weft_runtime.telemetry.log import Log

_longest_delay = 60.0


@dataclass(frozen=True, slots=True)
class _Fault:
    """Shares are 0 to 1; times in seconds."""

    until: float
    delay_share: float
    delay: float
    abort_share: float
    code: Code


class Faults:
    """Faults as this process knows them."""

    def __init__(self, bus: Bus, log: Log) -> None:
        self._known: dict[str, _Fault] = {}
        self._log = log
        self._follower = BucketFollower(bus, log, "weft_faults", "all", self._take)

    async def inject(self, method: str) -> None:
        """Delays or aborts the share of calls that a fault of ``method`` ("pkg.v1.Service/Method") asks for."""
        fault = self._known.get(method) or self._known.get(f"{method.partition('/')[0]}/*")
        if fault is None or fault.until < time.time():
            return
        if random.random() < fault.delay_share:
            await asyncio.sleep(fault.delay)
        if random.random() < fault.abort_share:
            raise Refusal(fault.code, "a fault injected on purpose")

    def stop(self) -> None:
        self._follower.stop()

    def _take(self, _key: str, text: bytes) -> None:
        try:
            faults = json.loads(text)["faults"]
            self._known = {fault["method"]: _parse(fault) for fault in faults}
        except (ValueError, KeyError, TypeError) as error:
            self._log.warn("the list of faults cannot be read; going on with what was known", err=error)
            return
        self._log.warn("faults are injected on purpose", faults=list(self._known))


def _parse(fault: dict[str, Any]) -> _Fault:
    delay, abort = fault.get("delay", {}), fault.get("abort", {})
    return _Fault(
        until=float(fault["until"]) / 1_000,
        delay_share=float(delay.get("share", 0)),
        delay=min(_longest_delay, float(delay.get("ms", 0)) / 1_000),
        abort_share=float(abort.get("share", 0)),
        code=Code[abort.get("code", "UNKNOWN")],
    )
