import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from weft.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StockChanged(_message.Message):
    __slots__ = ("product_id", "available", "version", "changed_at")
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    product_id: str
    available: int
    version: int
    changed_at: _timestamp_pb2.Timestamp
    def __init__(self, product_id: _Optional[str] = ..., available: _Optional[int] = ..., version: _Optional[int] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
