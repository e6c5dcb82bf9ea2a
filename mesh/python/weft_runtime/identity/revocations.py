"""
Access tokens that are void before their time: whoever issues tokens writes, for a user, the second before which tokens
were issued that are void now. Every process answers from its own memory; while NATS is away it goes on with what it
knows. mesh/runtime/identity/revocations.ts describes the bucket.
"""

import asyncio
import base64
import re
import time

from weft_runtime.events.bucket import BucketFollower
from weft_runtime.events.bus import Bus
from weft_runtime.telemetry.log import Log

#: The longest life of a token, and a tolerance for clocks, in seconds: what is older voids nothing any more.
_kept = 15 * 60 + 60


class Revocations:
    """What this process knows of revocations."""

    def __init__(self, bus: Bus, log: Log) -> None:
        self._known: dict[str, int] = {}
        self._follower = BucketFollower(bus, log, "weft_revocations", None, self._take)

    def is_revoked(self, user: str, issued_at: float) -> bool:
        """Whether a token of ``user``, issued at ``issued_at`` (seconds since 1970), is void."""
        return issued_at < self._known.get(user, 0)

    @property
    def loaded(self) -> asyncio.Event:
        """Set when the bucket was read for the first time."""
        return self._follower.loaded

    def stop(self) -> None:
        self._follower.stop()

    def _take(self, key: str, value: bytes) -> None:
        try:
            # Not the strict decoder: a key that is not base64url names nobody.
            user = base64.urlsafe_b64decode(key + "=" * (-len(key) % 4)).decode()
        except ValueError:
            return
        text = value.decode("ascii", "replace")
        if not user or not re.fullmatch(r"\d{1,12}", text, re.ASCII):
            return
        self._known[user] = max(int(text), self._known.get(user, 0))
        self._forget()

    def _forget(self) -> None:
        end = time.time() - _kept
        for user in [user for user, before in self._known.items() if before < end]:
            del self._known[user]
