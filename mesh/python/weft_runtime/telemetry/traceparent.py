"""The header traceparent (W3C Trace Context, section 3.2)."""

import re
from dataclasses import dataclass

# Version, trace, span and flags in hex; later versions may add more.
_pattern = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


@dataclass(frozen=True, slots=True)
class Traceparent:
    """What a caller says of the trace that it is in."""

    trace_id: str
    span_id: str
    sampled: bool


def parse_traceparent(text: str | None) -> Traceparent | None:
    """None for what the specification does not allow. Later versions are read as far as we know them."""
    match = _pattern.fullmatch(text or "")
    if not match:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    if version == "ff" or (version == "00" and more):
        return None
    if not trace_id.strip("0") or not span_id.strip("0"):
        return None
    return Traceparent(trace_id, span_id, int(flags, 16) & 1 == 1)
