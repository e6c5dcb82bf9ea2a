from datetime import datetime

from weft_runtime.storage.database import Transaction


async def remember_order(tx: Transaction, order_id: str, placed_at: datetime) -> None:
    """Notes when an order was placed, for the mail that tells what became of it. Sends nothing."""
    await tx.execute(
        "insert into placed_orders (order_id, placed_at) values ($1, $2) on conflict (order_id) do nothing",
        order_id,
        placed_at,
    )
