from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from weft_runtime.paging.page_token import invalid_page_token, read_page_token, write_page_token
from weft_runtime.storage.database import Database

_default_page_size = 20
_epoch = datetime(1970, 1, 1, tzinfo=UTC)
#: The last moment that a datetime holds, in milliseconds since 1970.
_latest = 253_402_300_799_999


@dataclass(frozen=True, slots=True)
class SentEmail:
    """A mail that the mail server has taken."""

    id: UUID
    kind: str
    recipient: str
    subject: str
    order_id: UUID
    event_id: str
    sent_at: datetime


async def list_emails(
    database: Database, *, page_size: int, page_token: str, order_id: str
) -> tuple[list[SentEmail], str]:
    """
    A page of sent mails, newest first, and the token of the next one. ``page_size`` 0 means the default; ``order_id``
    may be empty.

    :raises ServiceError: PAGE_TOKEN_INVALID
    """
    filters = [order_id.lower()]
    behind = _position(read_page_token(filters, page_token))
    size = page_size or _default_page_size
    rows = await database.fetch(
        """select id, kind, recipient, subject, order_id, event_id, sent_at from emails
           where sent_at is not null and ($1::uuid is null or order_id = $1)
             and ($2::timestamptz is null or (sent_at, id) < ($2, $3::uuid))
           order by sent_at desc, id desc limit $4""",
        UUID(order_id) if order_id else None,
        behind[0] if behind else None,
        behind[1] if behind else None,
        # One more than asked for: it tells whether there is a next page.
        size + 1,
    )
    emails = [SentEmail(**dict(row)) for row in rows[:size]]
    if len(rows) <= size:
        return emails, ""
    last = emails[-1]
    return emails, write_page_token(filters, [_milliseconds(last.sent_at), str(last.id)])


def _milliseconds(time: datetime) -> int:
    """Since 1970. Times of mails are stored in whole milliseconds, which tokens can hold."""
    return (time - _epoch) // timedelta(milliseconds=1)


def _position(position: object) -> tuple[datetime, UUID] | None:
    """Time and id of the last row of a page."""
    if position is None:
        return None
    try:
        match position:
            case [int(time), str(id)] if 0 <= time <= _latest:
                return _epoch + timedelta(milliseconds=time), UUID(id)
    except ValueError:
        pass
    raise invalid_page_token("is not a token of a list reply")
