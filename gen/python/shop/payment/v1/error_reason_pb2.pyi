from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    PAYMENT_NOT_FOUND: _ClassVar[ErrorReason]
    PAYMENT_VOIDED: _ClassVar[ErrorReason]
    COMMAND_MISMATCH: _ClassVar[ErrorReason]
    PROVIDER_UNAVAILABLE: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
PAYMENT_NOT_FOUND: ErrorReason
PAYMENT_VOIDED: ErrorReason
COMMAND_MISMATCH: ErrorReason
PROVIDER_UNAVAILABLE: ErrorReason
