from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

from weft_runtime.events.outbox import record_event
from weft_runtime.storage.database import Database, Transaction
from weft_runtime.uuid7 import uuid7
from {{package}}.events_pb2 import {{Thing}}Created

from {{file}}_service.rules import title_of
from {{file}}_service.storage import {{Thing}}Row

#: Called with the {{words}} as it will be answered, in the transaction that stores it.
KeepReply = Callable[[Transaction, {{Thing}}Row], Awaitable[None]]


async def create_{{thing_}}(
    database: Database, *, owner_id: str, title: str, text: str, keep_reply: KeepReply
) -> None:
    """
    Stores {{a_words}}, its event and the reply in one transaction: none exists alone.

    :raises ServiceError: TITLE_BLANK; what ``keep_reply`` raises
    """
    created_at = datetime.now(UTC)
    created_at = created_at.replace(microsecond=created_at.microsecond // 1_000 * 1_000)
    row = {{Thing}}Row(uuid7(), UUID(owner_id), title_of(title), text, created_at)
    async with database.transaction() as tx:
        await tx.execute(
            "insert into {{things_}} (id, owner_id, title, text, created_at) values ($1, $2, $3, $4, $5)",
            row.id,
            row.owner_id,
            row.title,
            row.text,
            row.created_at,
        )
        await keep_reply(tx, row)
        event = {{Thing}}Created({{thing_}}_id=str(row.id), owner_id=owner_id)
        event.created_at.FromDatetime(row.created_at)
        record_event(tx, event)
