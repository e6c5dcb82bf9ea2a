"""Who is at the other end of a connection, as far as the connection itself proves it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Proved:
    """A peer with a valid certificate."""

    name: str
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """A peer that showed something which proves nothing."""

    #: For the log.
    reason: str


@dataclass(frozen=True, slots=True)
class Silent:
    """A peer that showed nothing."""


Peer = Proved | Refused | Silent
