from contextvars import ContextVar
from dataclasses import dataclass

from weft_runtime.rpc.errors import Code, ServiceError


@dataclass(frozen=True, slots=True)
class Principal:
    """A user with a valid access token."""

    #: Token claim ``sub``.
    id: str
    roles: tuple[str, ...]
    #: Token claim ``client_id``: the program that the user signed in with.
    client_id: str | None = None


#: The signed-in user of the call being served; None without a token.
current_principal: ContextVar[Principal | None] = ContextVar("principal", default=None)
#: Name of the calling service; None for callers without a workload identity.
current_caller: ContextVar[str | None] = ContextVar("caller", default=None)


def require_principal() -> Principal:
    """:raises ServiceError: TOKEN_MISSING without a user"""
    principal = current_principal.get()
    if principal is None:
        raise ServiceError(Code.UNAUTHENTICATED, "TOKEN_MISSING", "an access token is required")
    return principal
