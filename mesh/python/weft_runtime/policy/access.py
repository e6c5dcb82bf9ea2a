"""Who may call: service callers × user access, both from the contract, both denied by default."""

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from weft.policy.v1 import policy_pb2

from weft_runtime.identity.principal import Principal
from weft_runtime.policy.method_policy import policy_of
from weft_runtime.rpc.errors import Code, ServiceError


def check_caller(method: MethodDescriptor, caller: str | None) -> None:
    """:raises ServiceError: WORKLOAD_MISSING for a caller without identity, CALLER_DENIED for one not on the list"""
    callers = policy_of(method).callers
    if "*" in callers or caller in callers:
        return
    if caller is None:
        raise ServiceError(
            Code.UNAUTHENTICATED,
            "WORKLOAD_MISSING",
            f"{method.name} needs the certificate of a service of the mesh",
        )
    raise ServiceError(Code.PERMISSION_DENIED, "CALLER_DENIED", f"{caller} may not call {method.name}")


def uses_token(method: MethodDescriptor) -> bool:
    """Whether it matters for whom the call is made."""
    access = policy_of(method).access
    return access is None or access.WhichOneof("rule") not in ("public", "service_only")


def check_user(method: MethodDescriptor, principal: Principal | None) -> None:
    """:raises ServiceError: TOKEN_MISSING, ROLE_MISSING, NO_ACCESS_RULE"""
    access = policy_of(method).access
    rule = access.WhichOneof("rule") if access else None
    if access is None or rule is None:
        raise ServiceError(Code.PERMISSION_DENIED, "NO_ACCESS_RULE", f"{method.name} has no access rule")
    if rule in ("public", "service_only"):
        return
    if principal is None:
        raise ServiceError(Code.UNAUTHENTICATED, "TOKEN_MISSING", "an access token is required")
    if rule == "roles" and not set(access.roles.any_of) & set(principal.roles):
        wanted = ", ".join(access.roles.any_of)
        raise ServiceError(
            Code.PERMISSION_DENIED, "ROLE_MISSING", f"{method.name} needs one of the roles: {wanted}"
        )


def check_request_owner(method: MethodDescriptor, request: Message, principal: Principal | None) -> None:
    """:raises ServiceError: NOT_FOUND for a request whose owner field names somebody else"""
    owner = _owner_rule(method)
    if owner and owner.WhichOneof("location") == "request_field":
        _check_owner(owner, owner.request_field, request, principal)


def check_reply_owner(method: MethodDescriptor, reply: Message, principal: Principal | None) -> None:
    """:raises ServiceError: NOT_FOUND for a reply whose owner field names somebody else"""
    owner = _owner_rule(method)
    if owner and owner.WhichOneof("location") == "response_field":
        _check_owner(owner, owner.response_field, reply, principal)


def _owner_rule(method: MethodDescriptor) -> policy_pb2.Owner | None:
    access = policy_of(method).access
    return access.owner if access and access.WhichOneof("rule") == "owner" else None


def _check_owner(owner: policy_pb2.Owner, path: str, message: Message, principal: Principal | None) -> None:
    if principal and set(owner.or_roles) & set(principal.roles):
        return
    value: object = message
    for name in path.split("."):
        value = getattr(value, name)
    if principal and isinstance(value, str) and value != "" and value == principal.id:
        return
    # Ids cannot be probed.
    raise ServiceError(Code.NOT_FOUND, "NOT_FOUND", "not found")
