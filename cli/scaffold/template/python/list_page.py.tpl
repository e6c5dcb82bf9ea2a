from uuid import UUID

from weft_runtime.paging.page_token import invalid_page_token, read_page_token, write_page_token
from weft_runtime.storage.database import Database

from {{file}}_service.storage import {{Thing}}Row

_default_page_size = 20


async def list_{{things_}}(
    database: Database, *, owner_id: str, page_size: int, page_token: str
) -> tuple[list[{{Thing}}Row], str]:
    """
    A page of a user's {{words_plural}}, newest first, and the token of the next one (AIP-158). Ids are UUIDv7 and so in
    order of time.

    :raises ServiceError: PAGE_TOKEN_INVALID
    """
    before = _position(read_page_token([owner_id], page_token))
    size = page_size or _default_page_size
    found = await database.fetch(
        """select id, owner_id, title, text, created_at from {{things_}}
           where owner_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3""",
        UUID(owner_id),
        before,
        # One more than asked for: it tells whether there is a next page.
        size + 1,
    )
    rows = [{{Thing}}Row(**dict(row)) for row in found[:size]]
    return rows, write_page_token([owner_id], str(rows[-1].id)) if len(found) > size else ""


def _position(position: object) -> UUID | None:
    """Id of the last row of a page."""
    if position is None:
        return None
    try:
        return UUID(str(position))
    except ValueError as error:
        raise invalid_page_token("is not a token of a list reply") from error
