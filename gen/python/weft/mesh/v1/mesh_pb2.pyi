import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from weft.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetStateRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ProcessState(_message.Message):
    __slots__ = ("service", "instance", "version", "started_at", "discovery", "upstreams", "breakers", "load", "certificate_expires_at")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    DISCOVERY_FIELD_NUMBER: _ClassVar[int]
    UPSTREAMS_FIELD_NUMBER: _ClassVar[int]
    BREAKERS_FIELD_NUMBER: _ClassVar[int]
    LOAD_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    service: str
    instance: str
    version: str
    started_at: _timestamp_pb2.Timestamp
    discovery: Discovery
    upstreams: _containers.RepeatedCompositeFieldContainer[Upstream]
    breakers: _containers.RepeatedCompositeFieldContainer[Breaker]
    load: Load
    certificate_expires_at: _timestamp_pb2.Timestamp
    def __init__(self, service: _Optional[str] = ..., instance: _Optional[str] = ..., version: _Optional[str] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., discovery: _Optional[_Union[Discovery, _Mapping]] = ..., upstreams: _Optional[_Iterable[_Union[Upstream, _Mapping]]] = ..., breakers: _Optional[_Iterable[_Union[Breaker, _Mapping]]] = ..., load: _Optional[_Union[Load, _Mapping]] = ..., certificate_expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Discovery(_message.Message):
    __slots__ = ("kind", "registry_live")
    KIND_FIELD_NUMBER: _ClassVar[int]
    REGISTRY_LIVE_FIELD_NUMBER: _ClassVar[int]
    kind: str
    registry_live: bool
    def __init__(self, kind: _Optional[str] = ..., registry_live: _Optional[bool] = ...) -> None: ...

class Upstream(_message.Message):
    __slots__ = ("service", "endpoints")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    service: str
    endpoints: _containers.RepeatedCompositeFieldContainer[Endpoint]
    def __init__(self, service: _Optional[str] = ..., endpoints: _Optional[_Iterable[_Union[Endpoint, _Mapping]]] = ...) -> None: ...

class Endpoint(_message.Message):
    __slots__ = ("address", "instance", "outstanding", "failures", "ejected")
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    OUTSTANDING_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    EJECTED_FIELD_NUMBER: _ClassVar[int]
    address: str
    instance: str
    outstanding: int
    failures: int
    ejected: bool
    def __init__(self, address: _Optional[str] = ..., instance: _Optional[str] = ..., outstanding: _Optional[int] = ..., failures: _Optional[int] = ..., ejected: _Optional[bool] = ...) -> None: ...

class Breaker(_message.Message):
    __slots__ = ("upstream", "method", "state", "opened", "rejected_open", "rejected_full")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATE_UNSPECIFIED: _ClassVar[Breaker.State]
        CLOSED: _ClassVar[Breaker.State]
        OPEN: _ClassVar[Breaker.State]
        HALF_OPEN: _ClassVar[Breaker.State]
    STATE_UNSPECIFIED: Breaker.State
    CLOSED: Breaker.State
    OPEN: Breaker.State
    HALF_OPEN: Breaker.State
    UPSTREAM_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    OPENED_FIELD_NUMBER: _ClassVar[int]
    REJECTED_OPEN_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FULL_FIELD_NUMBER: _ClassVar[int]
    upstream: str
    method: str
    state: Breaker.State
    opened: int
    rejected_open: int
    rejected_full: int
    def __init__(self, upstream: _Optional[str] = ..., method: _Optional[str] = ..., state: _Optional[_Union[Breaker.State, str]] = ..., opened: _Optional[int] = ..., rejected_open: _Optional[int] = ..., rejected_full: _Optional[int] = ...) -> None: ...

class Load(_message.Message):
    __slots__ = ("in_flight", "shed_level", "shed")
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    SHED_LEVEL_FIELD_NUMBER: _ClassVar[int]
    SHED_FIELD_NUMBER: _ClassVar[int]
    in_flight: int
    shed_level: float
    shed: int
    def __init__(self, in_flight: _Optional[int] = ..., shed_level: _Optional[float] = ..., shed: _Optional[int] = ...) -> None: ...
