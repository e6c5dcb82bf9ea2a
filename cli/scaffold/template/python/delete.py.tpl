from uuid import UUID

from weft_runtime.storage.database import Database

from {{file}}_service.rules import {{thing_}}_not_found


async def delete_{{thing_}}(database: Database, {{thing_}}_id: str, owner_id: str) -> None:
    """
    Deletes {{a_words}} of this user.

    :raises ServiceError: {{THING}}_NOT_FOUND, also for somebody else's
    """
    command = await database.execute(
        "delete from {{things_}} where id = $1 and owner_id = $2", UUID({{thing_}}_id), UUID(owner_id)
    )
    if command == "DELETE 0":
        raise {{thing_}}_not_found()
