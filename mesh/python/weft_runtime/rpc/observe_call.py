import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from google.protobuf.descriptor import MethodDescriptor

from weft_runtime.policy.method_policy import policy_of
from weft_runtime.rpc.call import Call
from weft_runtime.rpc.call_parts import CallParts
from weft_runtime.rpc.errors import Code, Refusal
from weft_runtime.telemetry.context import RequestContext, in_context
from weft_runtime.telemetry.span import SERVER, SpanType

#: Codes that are the server's fault and not its caller's (semantic conventions for gRPC, server spans).
_faults = frozenset(
    {
        Code.UNKNOWN,
        Code.DEADLINE_EXCEEDED,
        Code.UNIMPLEMENTED,
        Code.INTERNAL,
        Code.UNAVAILABLE,
        Code.DATA_LOSS,
    }
)


@contextmanager
def observed(call: Call, parts: CallParts) -> Iterator[RequestContext]:
    """
    Opens the request's context from its headers; when the call ends, ends its span, counts it and writes the access
    log line. The context's deadline is the caller's, or the method's timeout when that is sooner.
    """
    left, longest = call.context.time_remaining(), policy_of(call.method).timeout
    context = parts.tracer.open(
        request_id=call.headers.get("x-request-id"),
        traceparent=call.headers.get("traceparent"),
        deadline=time.time() + (longest if left is None else min(left, longest)),
    )
    began, code = time.perf_counter(), Code.OK
    with in_context(context):
        try:
            yield context
        except Refusal as refusal:
            code = refusal.code
            raise
        except asyncio.CancelledError:
            code = Code.CANCELLED
            raise
        finally:
            _finish(call, context, code, time.perf_counter() - began, parts)


def _finish(call: Call, context: RequestContext, code: Code, took: float, parts: CallParts) -> None:
    fault = code.name if code in _faults else None
    # By now it is known who calls, unless the call was refused before.
    parts.metrics.served(call.name, call.caller, code.name, fault, took)
    if context.trace:
        context.trace.end(
            context.span_id,
            _span(call.method),
            slow_seconds=policy_of(call.method).slow,
            more={"rpc.response.status_code": code.name},
            error=fault,
        )
    parts.log.info("rpc", rpc=call.name, code=_as_logged(code), ms=round(took * 1_000, 1))


@cache
def _span(method: MethodDescriptor) -> SpanType:
    name = f"{method.containing_service.full_name}/{method.name}"
    return SpanType(name, SERVER, {"rpc.system.name": "grpc", "rpc.method": name})


def _as_logged(code: Code) -> str:
    """ "ok", "InvalidArgument": as the TypeScript services write it."""
    if code is Code.OK:
        return "ok"
    return "Canceled" if code is Code.CANCELLED else code.name.title().replace("_", "")
