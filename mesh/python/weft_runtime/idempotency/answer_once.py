"""
A method whose policy requires an Idempotency-Key has one effect and one reply for each (user, route, key), however often
and however concurrently it is called, and whatever process dies when: mesh/runtime/idempotency/answer-once.ts says how.
"""

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Generic, TypeVar

from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from weft_runtime.idempotency.require_key import current_key
from weft_runtime.idempotency.stored_replies import (
    AnsweredMeanwhile,
    KeyedCall,
    find_reply,
    in_flight,
    insert_reply,
)
from weft_runtime.identity.principal import current_caller, current_principal
from weft_runtime.storage.database import Database, Transaction

Reply = TypeVar("Reply", bound=Message)
#: Stores a reply in the transaction of its effect, which must be rolled back when this throws.
KeepReply = Callable[[Transaction, Reply], Awaitable[None]]


class AnswerOnce(Generic[Reply]):
    """Of one method: runs what a call asks for once for each key."""

    def __init__(self, method: MethodDescriptor, reply: type[Reply], database: Database) -> None:
        """:param database: of the service, with the table of CREATE_STORED_REPLIES"""
        self._route = f"{method.containing_service.full_name}/{method.name}"
        self._reply = reply
        self._database = database
        #: Calls of this process by user and key; each ends before the next one of its key begins.
        self._in_hand: dict[tuple[str, str], asyncio.Event] = {}

    async def __call__(
        self, request: Message, handle: Callable[[KeepReply[Reply]], Awaitable[object]]
    ) -> Reply:
        """
        :param handle: one transaction that has the effect and keeps the reply
        :raises ServiceError: IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_KEY_IN_FLIGHT; what ``handle`` raises
        """
        call = self._keyed(request)
        name = (call.user_id, call.key)
        while name in self._in_hand:
            await self._in_hand[name].wait()
        self._in_hand[name] = asyncio.Event()
        try:
            return self._reply.FromString(await self._answer(call, handle))
        finally:
            self._in_hand.pop(name).set()

    async def _answer(
        self, call: KeyedCall, handle: Callable[[KeepReply[Reply]], Awaitable[object]]
    ) -> bytes:
        known = await find_reply(self._database, call)
        if known is not None:
            return known
        kept: list[bytes] = []

        async def keep(tx: Transaction, reply: Reply) -> None:
            body = reply.SerializeToString()
            await insert_reply(tx, call, body)
            kept.append(body)

        try:
            await handle(keep)
        except AnsweredMeanwhile:
            theirs = await find_reply(self._database, call)  # by another process
            if theirs is None:
                raise in_flight() from None
            return theirs
        if not kept:
            raise RuntimeError(f"{self._route} has not kept its reply")
        return kept[-1]

    def _keyed(self, request: Message) -> KeyedCall:
        key = current_key.get()
        if key is None:
            raise RuntimeError(f"the policy of {self._route} does not require an Idempotency-Key")
        key.used = True
        principal = current_principal.get()
        user = principal.id if principal else f"service:{current_caller.get() or ''}"
        body = request.SerializeToString(deterministic=True)
        return KeyedCall(user, self._route, key.value, sha256(body).digest())
