"""
What happens to every incoming call around its handler, in every process: the steps of
mesh/runtime/rpc/server-interceptors.ts in their order. Health and reflection are open to everyone who reaches the port.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import DecodeError, Message

from weft_runtime.idempotency.require_key import current_key, require_key
from weft_runtime.policy.access import check_reply_owner, check_request_owner
from weft_runtime.policy.authorize import authorize
from weft_runtime.rpc.call import Call
from weft_runtime.rpc.call_parts import CallParts
from weft_runtime.rpc.errors import Code, Refusal, ServiceError, to_refusal
from weft_runtime.rpc.observe_call import observed
from weft_runtime.rpc.validate import check_request

#: When a call that was given up may come again, in seconds.
_retry_after = 1.0

Context = grpc.aio.ServicerContext[Any, Any]


class ServeCalls(grpc.aio.ServerInterceptor):
    """Puts the steps around the handlers of ``methods``, which are given by their paths."""

    def __init__(self, methods: Mapping[str, MethodDescriptor], parts: CallParts) -> None:
        self._methods = methods
        self._parts = parts
        self._known: dict[str, Any] = {}

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], handler_call_details: grpc.HandlerCallDetails
    ) -> Any:
        path = handler_call_details.method
        known = self._known.get(path)
        if known is not None:
            return known
        handler = await continuation(handler_call_details)
        method = self._methods.get(path)
        if handler is None or method is None:
            return handler
        served = _served(method, handler, self._parts)
        # No deserializer: the message is looked at late, see below.
        return self._known.setdefault(path, grpc.unary_unary_rpc_method_handler(served))


def _served(
    method: MethodDescriptor, handler: Any, parts: CallParts
) -> Callable[[bytes, Context], Awaitable[bytes]]:
    async def served(body: bytes, context: Context) -> bytes:
        call = Call(method, body, _headers_of(context), parts.peer_of(context.peer()), context)
        try:
            reply = await _serve(call, handler, parts)
            return reply.SerializeToString()
        except Refusal as refusal:
            details = refusal.status_bytes()
            trailers = (("grpc-status-details-bin", details),) if details else ()
            await context.abort(refusal.code, refusal.message, trailers)

    return served


async def _serve(call: Call, handler: Any, parts: CallParts) -> Message:
    """The first is the outermost: it sees the request first and the reply last."""
    with (
        # Outermost, so that every line logged further in, and the access log itself, has the ids.
        observed(call, parts) as request_context,
        # Around all that may refuse, so that each refusal leaves as a status with details.
        _rendered(call, parts),
        # Before anything that costs: what will not be served must cost next to nothing.
        _within_capacity(call, parts),
    ):
        # Before any work is done: a call that is late is not worth checking.
        async with _in_time(request_context.deadline or 0):
            # Within the deadline, so that a delay uses it up; callers cannot tell it from a failure of the process.
            if parts.faults:
                await parts.faults.inject(call.name)
            # Before the message is looked at: strangers learn nothing about fields.
            principal = await authorize(call, parts)
            # Costs nothing further in when it is missing.
            key = require_key(call.method, call.headers.get("idempotency-key"))
            current_key.set(key)
            request = _decoded(call, handler)
            check_request_owner(call.method, request, principal)
            # Last: the handler sees only messages that obey the contract.
            check_request(request)
            reply: Message = await handler.unary_unary(request, call.context)
            # So that no contract promises what its service does not hold.
            if key and not key.used:
                raise RuntimeError(f"the handler of {call.name} does not answer by AnswerOnce")
            check_reply_owner(call.method, reply, principal)
            return reply


@contextmanager
def _rendered(call: Call, parts: CallParts) -> Iterator[None]:
    """Callers never see the text of an unexpected error; the log has it."""
    try:
        yield
    except Exception as error:
        refusal = to_refusal(error, call.method.containing_service.file.package)
        if refusal.code in (Code.INTERNAL, Code.UNKNOWN, Code.DATA_LOSS):
            parts.log.error("call failed", err=error, rpc=call.name)
        raise refusal from error


@contextmanager
def _within_capacity(call: Call, parts: CallParts) -> Iterator[None]:
    """RESOURCE_EXHAUSTED and not UNAVAILABLE: the process is there and serves others."""
    if not parts.load.enter(call.method):
        raise ServiceError(Code.RESOURCE_EXHAUSTED, "OVERLOADED", "too much load", retry_after=_retry_after)
    try:
        yield
    finally:
        parts.load.leave(call.method)


@asynccontextmanager
async def _in_time(deadline: float) -> AsyncIterator[None]:
    """Ends a call at its deadline, in seconds since 1970."""
    left = deadline - time.time()
    if left <= 0:
        raise Refusal(Code.DEADLINE_EXCEEDED, "the deadline has passed")
    try:
        async with asyncio.timeout(left) as limit:
            yield
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise Refusal(Code.DEADLINE_EXCEEDED, "the deadline has passed") from error


def _headers_of(context: Context) -> Mapping[str, str]:
    """Several of one name stand in one, so that two tokens are none: something on the way may have seen another."""
    headers: dict[str, str] = {}
    for name, value in context.invocation_metadata() or ():
        if isinstance(value, str):
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _decoded(call: Call, handler: Any) -> Message:
    try:
        message: Message = handler.request_deserializer(call.body)
        return message
    except DecodeError as error:
        raise Refusal(Code.INVALID_ARGUMENT, "the request cannot be decoded") from error
