"""What the contract says about an event: weft.policy.v1.EventPolicy of the message's descriptor."""

import re
from dataclasses import dataclass
from typing import cast

from google.protobuf.descriptor import Descriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from weft.policy.v1 import policy_pb2

from weft_runtime.policy.options import event_option


@dataclass(frozen=True, slots=True)
class ConsumerPolicy:
    """How one service reads one event, with the defaults of weft.policy.v1.Consumer filled in. Times in seconds."""

    service: str
    #: Failures after which the event goes to the reader's dead letters.
    max_deliver: int
    #: Before the second, third, ... try; the last entry repeats. Never empty.
    backoff: tuple[float, ...]
    #: Time a delivery may take before it counts as lost.
    ack_wait: float
    #: Deliveries in flight.
    max_ack_pending: int


@dataclass(frozen=True, slots=True)
class EventContract:
    """An event as its contract describes it."""

    schema: type[Message]
    #: Full name of the message; the CloudEvents type.
    type: str
    subject: str
    #: Name of the stream that holds every event of the package: a.b.v1 becomes A_B_V1.
    stream: str
    #: Subjects of all events of the package.
    stream_subjects: str
    key_field: str
    #: Empty: the contract names none.
    version_field: str
    consumers: tuple[ConsumerPolicy, ...]

    def key_of(self, event: Message) -> str:
        """Value that orders events."""
        value: str = getattr(event, self.key_field)
        return value

    def version_of(self, event: Message) -> int | None:
        """Version of the aggregate."""
        return getattr(event, self.version_field) if self.version_field else None

    def durable_name(self, service: str) -> str:
        """SERVICE__EVENT, the event's name in snake case: the durable consumer's name, and its name in the inbox."""
        name = self.type.removeprefix(f"{self.schema.DESCRIPTOR.file.package}.")
        return f"{service}__{re.sub(r'(?<=[a-z0-9])(?=[A-Z])', '_', name).replace('.', '_').lower()}"


def event_contract(schema: type[Message]) -> EventContract:
    """:raises ValueError: naming the message and the option when the contract is wrong"""
    descriptor = cast(Descriptor, schema.DESCRIPTOR)
    policy = event_option(descriptor)
    package = descriptor.file.package
    if not policy.subject.startswith(f"{package}."):
        raise ValueError(f"event contract: {descriptor.full_name} has no subject of its package")
    for field in filter(None, (policy.key, policy.version)):
        if field not in descriptor.fields_by_name:
            raise ValueError(f"event contract: {descriptor.full_name} has no field {field}")
    return EventContract(
        schema=schema,
        type=descriptor.full_name,
        subject=policy.subject,
        stream=package.upper().replace(".", "_"),
        stream_subjects=f"{package}.>",
        key_field=policy.key,
        version_field=policy.version,
        consumers=tuple(_consumer(consumer) for consumer in policy.consumers),
    )


def _consumer(consumer: policy_pb2.Consumer) -> ConsumerPolicy:
    return ConsumerPolicy(
        service=consumer.service,
        max_deliver=consumer.max_deliver or 5,
        backoff=tuple(_seconds(wait) for wait in consumer.backoff) or (1.0, 5.0, 30.0, 120.0),
        ack_wait=_seconds(consumer.ack_wait) if consumer.HasField("ack_wait") else 30.0,
        max_ack_pending=consumer.max_ack_pending or 256,
    )


def _seconds(duration: Duration) -> float:
    return duration.seconds + duration.nanos / 1e9
