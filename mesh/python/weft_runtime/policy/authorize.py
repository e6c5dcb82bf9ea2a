from weft_runtime.identity.identify_caller import Admission
from weft_runtime.identity.principal import Principal, current_caller, current_principal
from weft_runtime.policy.access import check_caller, check_user, uses_token
from weft_runtime.rpc.call import Call
from weft_runtime.rpc.call_parts import CallParts
from weft_runtime.rpc.errors import ServiceError


async def authorize(call: Call, parts: CallParts) -> Principal | None:
    """
    Establishes who calls and on whose behalf, and refuses whom the contract does not admit. Every refusal is in the
    log, with the method, and without what was shown.

    :raises ServiceError: of the caller, the token or the access rule
    """
    principal: Principal | None = None
    try:
        found = parts.identify_caller(call.peer, call.headers)
        if found is None and parts.direct_calls:
            found = "edge"
        if not isinstance(found, Admission):
            call.caller = found
            check_caller(call.method, call.caller)
        authorization = call.headers.get("authorization")
        if authorization and uses_token(call.method):
            principal = await parts.users.verify(authorization)
        check_user(call.method, principal)
    except ServiceError as error:
        parts.log.warn(
            "refused",
            caller=call.caller,
            user=principal.id if principal else None,
            rpc=call.name,
            reason=error.reason,
            problem=str(error.__cause__) if error.__cause__ else None,
        )
        raise
    current_caller.set(call.caller)
    current_principal.set(principal)
    return principal
