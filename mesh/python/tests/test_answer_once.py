"""One effect and one reply for each Idempotency-Key, with a table in memory."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from shop.order.v1 import order_pb2 as pb

from weft_runtime.idempotency.answer_once import AnswerOnce, KeepReply
from weft_runtime.idempotency.require_key import Key, current_key, require_key
from weft_runtime.rpc.errors import ServiceError

PLACE = pb.DESCRIPTOR.services_by_name["OrderService"].methods_by_name["PlaceOrder"]
GET = pb.DESCRIPTOR.services_by_name["OrderService"].methods_by_name["GetOrder"]


class Memory:
    """Replies by key; ``meanwhile`` is what another process commits before this one."""

    def __init__(self) -> None:
        self.rows: dict[object, dict[str, bytes]] = {}
        self.meanwhile: bytes | None = None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["Memory"]:
        yield self

    async def fetch(self, sql: str, *values: object) -> list[dict[str, bytes]]:
        key = values[2]
        if sql.startswith("select"):
            return [self.rows[key]] if key in self.rows else []
        assert isinstance(values[3], bytes)
        if self.meanwhile is not None:
            self.rows[key] = {"fingerprint": values[3], "reply": self.meanwhile}
            return []
        assert isinstance(values[4], bytes)
        self.rows[key] = {"fingerprint": values[3], "reply": values[4]}
        return [{}]


def once(memory: Memory) -> AnswerOnce[pb.Order]:
    return AnswerOnce(PLACE, pb.Order, memory)  # type: ignore[arg-type]


def placing(memory: Memory, effects: list[str]) -> Callable[[KeepReply[pb.Order]], Awaitable[None]]:
    async def place(keep_reply: KeepReply[pb.Order]) -> None:
        await asyncio.sleep(0)
        await keep_reply(memory, pb.Order(id=f"order {len(effects) + 1}"))  # type: ignore[arg-type]
        effects.append("placed")

    return place


async def called(answer: AnswerOnce[pb.Order], token: str, handle: object, key: str = "k") -> str:
    current_key.set(Key(key))
    return (await answer(pb.PlaceOrderRequest(payment_token=token), handle)).id  # type: ignore[arg-type]


def test_repeats_side_by_side_and_later_get_the_first_answer() -> None:
    memory, effects = Memory(), list[str]()

    async def calls() -> list[str]:
        answer, place = once(memory), placing(memory, effects)
        together = await asyncio.gather(*(asyncio.create_task(called(answer, "t", place)) for _ in range(3)))
        return [*together, await called(once(memory), "t", place)]

    assert asyncio.run(calls()) == ["order 1"] * 4
    assert effects == ["placed"]


def test_the_same_key_for_something_else_is_refused() -> None:
    memory, effects = Memory(), list[str]()
    asyncio.run(called(once(memory), "t", placing(memory, effects)))
    with pytest.raises(ServiceError) as refused:
        asyncio.run(called(once(memory), "other", placing(memory, effects)))
    assert refused.value.reason == "IDEMPOTENCY_KEY_REUSED"
    assert asyncio.run(called(once(memory), "other", placing(memory, effects), "another")) == "order 2"


def test_who_comes_second_rolls_back_and_answers_what_the_first_has_stored() -> None:
    memory, effects = Memory(), list[str]()
    memory.meanwhile = pb.Order(id="theirs").SerializeToString()
    assert asyncio.run(called(once(memory), "t", placing(memory, effects))) == "theirs"
    assert effects == []


def test_a_handler_that_keeps_no_reply_is_an_error() -> None:
    async def forget(keep_reply: KeepReply[pb.Order]) -> None: ...

    with pytest.raises(RuntimeError, match="has not kept its reply"):
        asyncio.run(called(once(Memory()), "t", forget))


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (None, "MISSING"),
        ("", "MISSING"),
        ("a b", "INVALID"),
        ("ü", "INVALID"),
        ("x" * 256, "INVALID"),
    ],
)
def test_a_key_that_is_none_is_refused(sent: str | None, reason: str) -> None:
    with pytest.raises(ServiceError) as refused:
        require_key(PLACE, sent)
    assert refused.value.reason == f"IDEMPOTENCY_KEY_{reason}"


def test_only_methods_that_ask_for_a_key_get_it() -> None:
    assert require_key(GET, "x") is None
    key = require_key(PLACE, "x" * 255)
    assert key and key.value == "x" * 255
