"""
Events on the wire: CloudEvents 1.0 in binary content mode over NATS: attributes in headers "ce-...", the Protobuf
message as the body. mesh/runtime/events/README.md lists the headers.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
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


def encode_cloud_event(event: CloudEvent, service: str) -> dict[str, str]:
    """
    Headers of an event; its body is ``event.data`` (NATS Protocol Binding for CloudEvents, section 3.1), with the
    extensions partitionkey, sequence and traceparent.
    """
    headers = {
        "content-type": "application/protobuf",
        "ce-specversion": "1.0",
        "ce-id": event.id,
        "ce-source": f"/services/{service}",
        "ce-type": event.type,
        "ce-time": event.time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.")
        + f"{event.time.microsecond // 1000:03}Z",
        "ce-subject": event.key,
        "ce-partitionkey": event.key,
        # The extension wants values whose order as text is their order as numbers; 2^64 has 20 digits.
        "ce-sequence": "" if event.version is None else str(event.version).rjust(20, "0"),
        "ce-traceparent": event.traceparent or "",
        "x-request-id": event.request_id or "",
        "Nats-Msg-Id": event.id,
    }
    return {name: _percent_encode(value) for name, value in headers.items() if value}


def _percent_encode(value: str) -> str:
    """Encodes what header values may not hold (CloudEvents HTTP Binding, section 3.1.3.2)."""
    return "".join(
        f"%{byte:02X}" if byte < 0x21 or byte > 0x7E or byte in b'"%' else chr(byte)
        for byte in value.encode()
    )


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
