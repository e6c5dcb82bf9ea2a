import pytest

from weft_runtime.events.cloud_events import MalformedEvent, decode_cloud_event

HEADERS = {
    "ce-specversion": "1.0",
    "content-type": "application/protobuf",
    "ce-id": "e1",
    "Nats-Msg-Id": "e1",
    "ce-source": "/services/order",
    "ce-type": "shop.order.v1.OrderPlaced",
    "ce-time": "2026-11-28T10:00:00.123Z",
    "ce-partitionkey": "k%C3%BC%20",
    "ce-sequence": "00000000000000000004",
}


def test_an_event_is_read_from_its_headers() -> None:
    event = decode_cloud_event(HEADERS | {"ce-unknown": "x"}, b"body")
    assert (event.id, event.key, event.version, event.data) == ("e1", "kü ", 4, b"body")
    assert event.time.isoformat() == "2026-11-28T10:00:00.123000+00:00"


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("ce-id", None, "ce-id is missing"),
        ("ce-id", "x" * 256, "ce-id is longer"),
        ("ce-specversion", "0.3", "ce-specversion"),
        ("content-type", "application/json", "content-type"),
        ("Nats-Msg-Id", "other", "Nats-Msg-Id differs"),
        ("ce-time", "yesterday", "ce-time"),
        ("ce-time", "2026-13-41T10:00:00Z", "ce-time"),
        ("ce-sequence", "four", "ce-sequence"),
        ("ce-partitionkey", "%ff", "ce-partitionkey is not percent-encoded"),
    ],
)
def test_what_is_wrong_is_named(name: str, value: str | None, problem: str) -> None:
    headers = {key: text for key, text in (HEADERS | {name: value}).items() if text is not None}
    with pytest.raises(MalformedEvent, match=problem):
        decode_cloud_event(headers, b"")
