"""
Spans of SQL statements by the semantic conventions for PostgreSQL. They tell operation and table, never a text:
statements may hold values.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from weft_runtime.telemetry.span import CLIENT, SpanType

_writes = re.compile(
    r'\b(insert(?= into)|update|delete(?= from))(?: into| from)?\s+"?(?:public"?\.)?"?(\w+)', re.I
)
_from = re.compile(r'\bfrom\s+"?(?:public"?\.)?"?(\w+)', re.I)
_first = re.compile(r"[\s(]*(\w+)")


@dataclass(frozen=True, slots=True)
class Place:
    """Where statements go."""

    host: str
    port: int
    database: str


@lru_cache(maxsize=1_000)
def statement_span(sql: str, place: Place) -> SpanType:
    """What a statement does, and to which table, as its text says; the first write of one with several parts."""
    first = _first.match(sql)
    word = first[1].upper() if first else ""
    write = _writes.search(sql) if word in ("WITH", "INSERT", "UPDATE", "DELETE") else None
    read = _from.search(sql) if word in ("WITH", "SELECT") else None
    operation = write[1].upper() if write else word
    table = write[2] if write else read[1] if read else ""
    summary = " ".join(filter(None, (operation, table)))
    known = {"db.operation.name": operation, "db.collection.name": table, "db.query.summary": summary}
    attributes = {
        "db.system.name": "postgresql",
        "db.namespace": place.database,
        **{name: text for name, text in known.items() if text},
        "server.address": place.host,
        "server.port": place.port,
    }
    return SpanType(summary or "statement", CLIENT, attributes)
