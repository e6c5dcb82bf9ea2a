from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    STOCK_NOT_FOUND: _ClassVar[ErrorReason]
    OUT_OF_STOCK: _ClassVar[ErrorReason]
    RESERVATION_RELEASED: _ClassVar[ErrorReason]
    RESERVATION_NOT_FOUND: _ClassVar[ErrorReason]
    RESERVATION_DIFFERS: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
STOCK_NOT_FOUND: ErrorReason
OUT_OF_STOCK: ErrorReason
RESERVATION_RELEASED: ErrorReason
RESERVATION_NOT_FOUND: ErrorReason
RESERVATION_DIFFERS: ErrorReason
