import time
from dataclasses import dataclass

_first_wait, _longest_wait = 1.0, 60.0
#: Keys remembered. Beyond it one is forgotten, and tried again at once.
_most = 1_000


@dataclass(frozen=True, slots=True)
class _Blocked:
    until: float
    wait: float


class BlockedKeys:
    """How long each key has to wait whose event is refused: 1 s to 60 s, doubling. Times of time.monotonic()."""

    def __init__(self) -> None:
        self._keys: dict[str, _Blocked] = {}

    def current(self) -> list[str]:
        """Keys that wait now. One is kept for a while after its wait, so that the next refusal doubles it."""
        now = time.monotonic()
        self._keys = {key: each for key, each in self._keys.items() if now <= each.until + _longest_wait}
        return [key for key, each in self._keys.items() if now < each.until]

    def block(self, key: str) -> float:
        """:returns: seconds that the key waits"""
        before = self._keys.pop(key, None)
        wait = min(_longest_wait, 2 * before.wait) if before else _first_wait
        if len(self._keys) >= _most:
            self._keys.pop(next(iter(self._keys)))
        self._keys[key] = _Blocked(time.monotonic() + wait, wait)
        return wait
