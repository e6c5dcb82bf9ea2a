"""The options of weft.policy.v1 that stand in descriptors; empty messages where a contract has none."""

from typing import cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor
from weft.policy.v1 import policy_pb2


# The generated extensions are typed as plain descriptors, which do not say what they hold.
def service_option(service: ServiceDescriptor) -> policy_pb2.ServicePolicy:
    return cast(policy_pb2.ServicePolicy, service.GetOptions().Extensions[policy_pb2.service])  # type: ignore[index]


def method_option(method: MethodDescriptor) -> policy_pb2.MethodPolicy:
    return cast(policy_pb2.MethodPolicy, method.GetOptions().Extensions[policy_pb2.method])  # type: ignore[index]


def event_option(message: Descriptor) -> policy_pb2.EventPolicy:
    return cast(policy_pb2.EventPolicy, message.GetOptions().Extensions[policy_pb2.event])  # type: ignore[index]


def field_option(field: FieldDescriptor) -> policy_pb2.FieldPolicy:
    return cast(policy_pb2.FieldPolicy, field.GetOptions().Extensions[policy_pb2.field])  # type: ignore[index]
