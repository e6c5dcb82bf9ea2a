from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    EMAIL_TAKEN: _ClassVar[ErrorReason]
    PASSWORD_TOO_COMMON: _ClassVar[ErrorReason]
    CREDENTIALS_WRONG: _ClassVar[ErrorReason]
    REFRESH_TOKEN_INVALID: _ClassVar[ErrorReason]
    REFRESH_TOKEN_REUSED: _ClassVar[ErrorReason]
    LOGIN_THROTTLED: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
EMAIL_TAKEN: ErrorReason
PASSWORD_TOO_COMMON: ErrorReason
CREDENTIALS_WRONG: ErrorReason
REFRESH_TOKEN_INVALID: ErrorReason
REFRESH_TOKEN_REUSED: ErrorReason
LOGIN_THROTTLED: ErrorReason
