"""
Errors between services. Use cases throw ServiceError; the server turns it into a status with google.rpc details, and
everything else into INTERNAL without a word about the cause.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode as Code

from weft_runtime.storage.sql_state import is_database_unavailable

__all__ = ["Code", "FieldViolation", "Refusal", "ServiceError", "bad_request", "to_refusal"]


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """A field of the request, by proto field names, and what is wrong with it."""

    field: str
    description: str


class ServiceError(Exception):
    """
    A refusal that callers may see: code, reason of the contract's ErrorReason, and the fields.

    :param message: for developers, in English, without secrets
    :param retry_after: when the same request may succeed, in seconds from now; None: nobody knows
    """

    def __init__(
        self,
        code: Code,
        reason: str,
        message: str,
        *,
        fields: Sequence[FieldViolation] = (),
        metadata: Mapping[str, str] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.fields = fields
        self.metadata = metadata or {}
        self.retry_after = retry_after


class Refusal(Exception):
    """How a call ends that fails: a gRPC status with details."""

    def __init__(self, code: Code, message: str, details: Sequence[Message] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details

    def status_bytes(self) -> bytes | None:
        """Value of grpc-status-details-bin; None without details."""
        if not self.details:
            return None
        number: int = self.code.value[0]
        status = Status(code=number, message=self.message)
        for detail in self.details:
            status.details.add().Pack(detail)
        return status.SerializeToString()


def to_refusal(error: BaseException, domain: str) -> Refusal:
    """The status for ``error``. ``domain``: the proto package of the service. Unknown errors become INTERNAL."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, ServiceError):
        details: list[Message] = [
            ErrorInfo(reason=error.reason, domain=domain, metadata=dict(error.metadata))
        ]
        if error.fields:
            details.append(bad_request(error.fields))
        if error.retry_after is not None:
            retry = RetryInfo()
            retry.retry_delay.seconds = max(1, ceil(error.retry_after))
            details.append(retry)
        return Refusal(error.code, error.message, details)
    if is_database_unavailable(error):
        return Refusal(Code.UNAVAILABLE, "the database is busy or away")
    return Refusal(Code.INTERNAL, "internal error")


def bad_request(fields: Sequence[FieldViolation]) -> BadRequest:
    """google.rpc.BadRequest."""
    return BadRequest(
        field_violations=[
            BadRequest.FieldViolation(field=each.field, description=each.description) for each in fields
        ]
    )
