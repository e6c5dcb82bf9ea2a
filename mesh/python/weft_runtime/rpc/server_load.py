"""What a process serves at the moment, and what it gives up because it cannot serve it."""

import asyncio
import time
from collections import Counter, defaultdict

from google.protobuf.descriptor import MethodDescriptor
from weft.policy.v1 import policy_pb2

from weft_runtime.background import in_background
from weft_runtime.policy.method_policy import policy_of

#: Between two looks at how late the event loop is, and the window over which that is judged, in seconds.
_look_every, _window = 0.1, 0.5
#: Share of a core above which a process is busy by itself; one that is late without is waiting for the machine.
_busy = 0.3
#: How far one late window goes, and how far back one in time: quickly into shedding, slowly out of it.
_up, _down = 0.25, 0.1
#: Windows in time one after the other behind which the overload is over, and how far back each goes from then on.
_over, _down_after = 4, 0.5
#: Share of important calls that is never shed.
_reserve = 0.2
#: Time that a start may take, in seconds.
_start = 10.0


class ServerLoad:
    """
    Limits of methods, and a level that grows while the event loop is late: from 0, nothing is given up, over 1, low
    importance, and 2, normal, to 3, where a fifth of the important calls passes.

    :param late: seconds of lateness above which calls are given up; 0 leaves the limits of methods only
    """

    def __init__(self, late: float) -> None:
        self.level = 0.0
        #: Calls given up since the process began.
        self.shed = 0
        self._late = late
        #: Windows in time since the last late one.
        self._in_time = 0
        self._in_flight: Counter[MethodDescriptor] = Counter()
        self._owed: defaultdict[int, float] = defaultdict(float)
        self._measuring = in_background(self._measure()) if late > 0 else None

    @property
    def in_flight(self) -> int:
        return self._in_flight.total()

    def enter(self, method: MethodDescriptor) -> bool:
        """Asks to serve a call; after True there must be one ``leave``."""
        policy = policy_of(method)
        if self._in_flight[method] >= policy.concurrency or self._sheds(policy.importance):
            self.shed += 1
            return False
        self._in_flight[method] += 1
        return True

    def leave(self, method: MethodDescriptor) -> None:
        self._in_flight[method] -= 1

    def stop(self) -> None:
        if self._measuring:
            self._measuring.cancel()

    def observe(self, lateness: float, cpu_share: float) -> None:
        """Takes one window's measurement: how late the loop was at worst, in seconds, and the CPU it used."""
        late = lateness > self._late and cpu_share > _busy
        self._in_time = 0 if late else self._in_time + 1
        change = _up if late else -_down_after if self._in_time > _over else -_down
        self.level = min(3.0, max(0.0, self.level + change))

    async def _measure(self) -> None:
        await asyncio.sleep(_start)
        while True:
            began, used, worst = time.monotonic(), time.process_time(), 0.0
            while (now := time.monotonic()) < began + _window:
                await asyncio.sleep(_look_every)
                worst = max(worst, time.monotonic() - now - _look_every)
            self.observe(worst, (time.process_time() - used) / (time.monotonic() - began))

    def _sheds(self, importance: int) -> bool:
        """Spreads refusals evenly, without chance."""
        if self.level == 0:
            return False
        owed = self._owed[importance] + self._share_of(importance)
        self._owed[importance] = owed - 1 if owed >= 1 else owed
        return owed >= 1

    def _share_of(self, importance: int) -> float:
        def within(start: float) -> float:
            return min(1.0, max(0.0, self.level - start))

        if importance == policy_pb2.IMPORTANCE_LOW:
            return within(0)
        if importance == policy_pb2.IMPORTANCE_HIGH:
            return within(2) * (1 - _reserve)
        return within(1)
