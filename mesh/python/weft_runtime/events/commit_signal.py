"""A commit with events wakes the relay of its process, so that it need not wait for its next look."""

import asyncio
from weakref import WeakKeyDictionary

from weft_runtime.storage.database import Database

_signals: WeakKeyDictionary[Database, asyncio.Event] = WeakKeyDictionary()


def commits_of(database: Database) -> asyncio.Event:
    """Set when events were committed; whoever waits clears it."""
    return _signals.setdefault(database, asyncio.Event())


def announce(database: Database) -> None:
    """Says that a commit has left events."""
    commits_of(database).set()
