import datetime

from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class IdempotencyKey(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IDEMPOTENCY_KEY_UNSPECIFIED: _ClassVar[IdempotencyKey]
    IDEMPOTENCY_KEY_REQUIRED: _ClassVar[IdempotencyKey]

class Importance(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    IMPORTANCE_UNSPECIFIED: _ClassVar[Importance]
    IMPORTANCE_LOW: _ClassVar[Importance]
    IMPORTANCE_NORMAL: _ClassVar[Importance]
    IMPORTANCE_HIGH: _ClassVar[Importance]
IDEMPOTENCY_KEY_UNSPECIFIED: IdempotencyKey
IDEMPOTENCY_KEY_REQUIRED: IdempotencyKey
IMPORTANCE_UNSPECIFIED: Importance
IMPORTANCE_LOW: Importance
IMPORTANCE_NORMAL: Importance
IMPORTANCE_HIGH: Importance
SERVICE_FIELD_NUMBER: _ClassVar[int]
service: _descriptor.FieldDescriptor
METHOD_FIELD_NUMBER: _ClassVar[int]
method: _descriptor.FieldDescriptor
EVENT_FIELD_NUMBER: _ClassVar[int]
event: _descriptor.FieldDescriptor
FIELD_FIELD_NUMBER: _ClassVar[int]
field: _descriptor.FieldDescriptor

class ServicePolicy(_message.Message):
    __slots__ = ("name", "defaults")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DEFAULTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    defaults: MethodPolicy
    def __init__(self, name: _Optional[str] = ..., defaults: _Optional[_Union[MethodPolicy, _Mapping]] = ...) -> None: ...

class MethodPolicy(_message.Message):
    __slots__ = ("access", "callers", "timeout", "retry", "breaker", "concurrency", "rate_limit", "idempotency_key", "cache", "slo", "rest", "max_request_bytes", "importance")
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    CALLERS_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    RETRY_FIELD_NUMBER: _ClassVar[int]
    BREAKER_FIELD_NUMBER: _ClassVar[int]
    CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    RATE_LIMIT_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    CACHE_FIELD_NUMBER: _ClassVar[int]
    SLO_FIELD_NUMBER: _ClassVar[int]
    REST_FIELD_NUMBER: _ClassVar[int]
    MAX_REQUEST_BYTES_FIELD_NUMBER: _ClassVar[int]
    IMPORTANCE_FIELD_NUMBER: _ClassVar[int]
    access: Access
    callers: _containers.RepeatedScalarFieldContainer[str]
    timeout: _duration_pb2.Duration
    retry: Retry
    breaker: Breaker
    concurrency: Concurrency
    rate_limit: RateLimit
    idempotency_key: IdempotencyKey
    cache: Cache
    slo: Slo
    rest: Rest
    max_request_bytes: int
    importance: Importance
    def __init__(self, access: _Optional[_Union[Access, _Mapping]] = ..., callers: _Optional[_Iterable[str]] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., retry: _Optional[_Union[Retry, _Mapping]] = ..., breaker: _Optional[_Union[Breaker, _Mapping]] = ..., concurrency: _Optional[_Union[Concurrency, _Mapping]] = ..., rate_limit: _Optional[_Union[RateLimit, _Mapping]] = ..., idempotency_key: _Optional[_Union[IdempotencyKey, str]] = ..., cache: _Optional[_Union[Cache, _Mapping]] = ..., slo: _Optional[_Union[Slo, _Mapping]] = ..., rest: _Optional[_Union[Rest, _Mapping]] = ..., max_request_bytes: _Optional[int] = ..., importance: _Optional[_Union[Importance, str]] = ...) -> None: ...

class Access(_message.Message):
    __slots__ = ("public", "signed_in", "roles", "owner", "service_only")
    PUBLIC_FIELD_NUMBER: _ClassVar[int]
    SIGNED_IN_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    SERVICE_ONLY_FIELD_NUMBER: _ClassVar[int]
    public: bool
    signed_in: bool
    roles: Roles
    owner: Owner
    service_only: bool
    def __init__(self, public: _Optional[bool] = ..., signed_in: _Optional[bool] = ..., roles: _Optional[_Union[Roles, _Mapping]] = ..., owner: _Optional[_Union[Owner, _Mapping]] = ..., service_only: _Optional[bool] = ...) -> None: ...

class Roles(_message.Message):
    __slots__ = ("any_of",)
    ANY_OF_FIELD_NUMBER: _ClassVar[int]
    any_of: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, any_of: _Optional[_Iterable[str]] = ...) -> None: ...

class Owner(_message.Message):
    __slots__ = ("request_field", "response_field", "subject", "or_roles")
    REQUEST_FIELD_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    OR_ROLES_FIELD_NUMBER: _ClassVar[int]
    request_field: str
    response_field: str
    subject: bool
    or_roles: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, request_field: _Optional[str] = ..., response_field: _Optional[str] = ..., subject: _Optional[bool] = ..., or_roles: _Optional[_Iterable[str]] = ...) -> None: ...

class Retry(_message.Message):
    __slots__ = ("attempts", "per_try_timeout", "base_backoff", "max_backoff", "codes")
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    PER_TRY_TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    BASE_BACKOFF_FIELD_NUMBER: _ClassVar[int]
    MAX_BACKOFF_FIELD_NUMBER: _ClassVar[int]
    CODES_FIELD_NUMBER: _ClassVar[int]
    attempts: int
    per_try_timeout: _duration_pb2.Duration
    base_backoff: _duration_pb2.Duration
    max_backoff: _duration_pb2.Duration
    codes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, attempts: _Optional[int] = ..., per_try_timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., base_backoff: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., max_backoff: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., codes: _Optional[_Iterable[str]] = ...) -> None: ...

class Breaker(_message.Message):
    __slots__ = ("ratio", "minimum_rps", "window", "open", "max_open")
    RATIO_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_RPS_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    MAX_OPEN_FIELD_NUMBER: _ClassVar[int]
    ratio: float
    minimum_rps: int
    window: _duration_pb2.Duration
    open: _duration_pb2.Duration
    max_open: _duration_pb2.Duration
    def __init__(self, ratio: _Optional[float] = ..., minimum_rps: _Optional[int] = ..., window: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., open: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., max_open: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Concurrency(_message.Message):
    __slots__ = ("limit", "queue")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    limit: int
    queue: int
    def __init__(self, limit: _Optional[int] = ..., queue: _Optional[int] = ...) -> None: ...

class RateLimit(_message.Message):
    __slots__ = ("requests", "period", "burst", "key")
    class Key(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KEY_UNSPECIFIED: _ClassVar[RateLimit.Key]
        KEY_IP: _ClassVar[RateLimit.Key]
        KEY_USER: _ClassVar[RateLimit.Key]
        KEY_CLIENT: _ClassVar[RateLimit.Key]
    KEY_UNSPECIFIED: RateLimit.Key
    KEY_IP: RateLimit.Key
    KEY_USER: RateLimit.Key
    KEY_CLIENT: RateLimit.Key
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    PERIOD_FIELD_NUMBER: _ClassVar[int]
    BURST_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    requests: int
    period: _duration_pb2.Duration
    burst: int
    key: RateLimit.Key
    def __init__(self, requests: _Optional[int] = ..., period: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., burst: _Optional[int] = ..., key: _Optional[_Union[RateLimit.Key, str]] = ...) -> None: ...

class Cache(_message.Message):
    __slots__ = ("max_age", "shared")
    MAX_AGE_FIELD_NUMBER: _ClassVar[int]
    SHARED_FIELD_NUMBER: _ClassVar[int]
    max_age: _duration_pb2.Duration
    shared: bool
    def __init__(self, max_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., shared: _Optional[bool] = ...) -> None: ...

class Slo(_message.Message):
    __slots__ = ("availability", "latency", "window")
    AVAILABILITY_FIELD_NUMBER: _ClassVar[int]
    LATENCY_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    availability: float
    latency: _duration_pb2.Duration
    window: _duration_pb2.Duration
    def __init__(self, availability: _Optional[float] = ..., latency: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., window: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Rest(_message.Message):
    __slots__ = ("success_status",)
    SUCCESS_STATUS_FIELD_NUMBER: _ClassVar[int]
    success_status: int
    def __init__(self, success_status: _Optional[int] = ...) -> None: ...

class EventPolicy(_message.Message):
    __slots__ = ("subject", "key", "version", "consumers")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CONSUMERS_FIELD_NUMBER: _ClassVar[int]
    subject: str
    key: str
    version: str
    consumers: _containers.RepeatedCompositeFieldContainer[Consumer]
    def __init__(self, subject: _Optional[str] = ..., key: _Optional[str] = ..., version: _Optional[str] = ..., consumers: _Optional[_Iterable[_Union[Consumer, _Mapping]]] = ...) -> None: ...

class Consumer(_message.Message):
    __slots__ = ("service", "max_deliver", "backoff", "ack_wait", "max_ack_pending")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    MAX_DELIVER_FIELD_NUMBER: _ClassVar[int]
    BACKOFF_FIELD_NUMBER: _ClassVar[int]
    ACK_WAIT_FIELD_NUMBER: _ClassVar[int]
    MAX_ACK_PENDING_FIELD_NUMBER: _ClassVar[int]
    service: str
    max_deliver: int
    backoff: _containers.RepeatedCompositeFieldContainer[_duration_pb2.Duration]
    ack_wait: _duration_pb2.Duration
    max_ack_pending: int
    def __init__(self, service: _Optional[str] = ..., max_deliver: _Optional[int] = ..., backoff: _Optional[_Iterable[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]]] = ..., ack_wait: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., max_ack_pending: _Optional[int] = ...) -> None: ...

class FieldPolicy(_message.Message):
    __slots__ = ("sensitive",)
    SENSITIVE_FIELD_NUMBER: _ClassVar[int]
    sensitive: bool
    def __init__(self, sensitive: _Optional[bool] = ...) -> None: ...
