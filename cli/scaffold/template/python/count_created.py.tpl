from uuid import UUID

from weft_runtime.storage.database import Transaction


async def count_created(tx: Transaction, owner_id: str) -> None:
    """One more of this user. Runs in the transaction of the inbox, so that a redelivery counts once."""
    await tx.execute(
        """insert into {{thing_}}_stats as stats (owner_id, created) values ($1, 1)
           on conflict (owner_id) do update set created = stats.created + 1""",
        UUID(owner_id),
    )
