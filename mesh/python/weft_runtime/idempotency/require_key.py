"""The header Idempotency-Key of a call whose method asks for one."""

import re
from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from weft_runtime.policy.method_policy import policy_of
from weft_runtime.rpc.errors import Code, FieldViolation, ServiceError

# draft-ietf-httpapi-idempotency-key-header
_key = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(slots=True)
class Key:
    """The key of the call being served."""

    value: str
    #: Whether the handler has kept its reply under it.
    used: bool = False


#: None for methods that want none.
current_key: ContextVar[Key | None] = ContextVar("idempotency key", default=None)


def require_key(method: MethodDescriptor, sent: str | None) -> Key | None:
    """
    The key of a call to a method that wants one; None for other methods.

    :raises ServiceError: IDEMPOTENCY_KEY_MISSING, IDEMPOTENCY_KEY_INVALID
    """
    if not policy_of(method).idempotency_key_required:
        return None
    if not sent:
        raise _refusal("MISSING", "is required", "send a unique value with each new request")
    if not _key.fullmatch(sent):
        raise _refusal("INVALID", "is malformed", "1 to 255 visible ASCII characters")
    return Key(sent)


def has_keyed_methods(contracts: Sequence[ServiceDescriptor]) -> bool:
    """
    Whether a method requires a key.

    :raises ValueError: for one that is open to callers whose keys nobody could tell apart
    """
    keyed = [
        method
        for contract in contracts
        for method in contract.methods
        if policy_of(method).idempotency_key_required
    ]
    for method in keyed:
        access = policy_of(method).access
        if access and access.WhichOneof("rule") == "public":
            raise ValueError(
                f"{method.full_name}: a public method cannot have an Idempotency-Key, since keys belong to users"
            )
    return bool(keyed)


def _refusal(kind: str, problem: str, advice: str) -> ServiceError:
    return ServiceError(
        Code.INVALID_ARGUMENT,
        f"IDEMPOTENCY_KEY_{kind}",
        f"header Idempotency-Key {problem}",
        fields=[FieldViolation("Idempotency-Key", advice)],
    )
