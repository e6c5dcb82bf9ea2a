"""
Events on the wire: CloudEvents 1.0 in binary content mode over NATS: attributes in headers "ce-...", the Protobuf
message as the body. mesh/runtime/events/README.md lists the headers.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

_timestamp = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """Attributes and body of one event."""

    id: str
    #: Full name of the Protobuf message.
    type: str
    time: datetime
    #: Value that orders events.
    key: str
    #: Version of the aggregate after the event.
    version: int | None
    #: Ids of the request that caused the event.
    request_id: str | None
    traceparent: str | None
    #: Protobuf binary.
    data: bytes


class MalformedEvent(Exception):
    """A message that is not a CloudEvent as this mesh writes them. Trying again cannot help."""


def decode_cloud_event(headers: Mapping[str, str], data: bytes) -> CloudEvent:
    """
    Reads an event; unknown attributes are ignored, as CloudEvents demands.

    :raises MalformedEvent: naming the header and what is wrong with it
    """

    def get(name: str) -> str | None:
        value = headers.get(name)
        try:
            return None if value is None else unquote(value, errors="strict")
        except ValueError as error:
            raise MalformedEvent(f"header {name} is not percent-encoded UTF-8") from error

    def need(name: str, limit: int = 1_024) -> str:
        value = get(name)
        if not value:
            raise MalformedEvent(f"header {name} is missing")
        if len(value) > limit:
            raise MalformedEvent(f"header {name} is longer than {limit} characters")
        return value

    for name, expected in (("ce-specversion", "1.0"), ("content-type", "application/protobuf")):
        value = need(name)
        if value != expected:
            raise MalformedEvent(f'header {name} is "{value}", not "{expected}"')
    event_id = need("ce-id", 255)
    message_id = get("Nats-Msg-Id")
    if message_id is not None and message_id != event_id:
        raise MalformedEvent("header Nats-Msg-Id differs from ce-id")
    need("ce-source")
    return CloudEvent(
        id=event_id,
        type=need("ce-type"),
        time=_time(need("ce-time")),
        key=need("ce-partitionkey"),
        version=_sequence(get("ce-sequence")),
        request_id=get("x-request-id"),
        traceparent=get("ce-traceparent"),
        data=data,
    )


def _time(value: str) -> datetime:
    try:
        if _timestamp.fullmatch(value):
            return datetime.fromisoformat(value.upper())
    except ValueError:
        pass
    raise MalformedEvent("header ce-time is not an RFC 3339 timestamp")


def _sequence(value: str | None) -> int | None:
    if value is None:
        return None
    if not re.fullmatch(r"-?\d{1,20}", value, re.ASCII):
        raise MalformedEvent("header ce-sequence is not a whole number")
    return int(value)
