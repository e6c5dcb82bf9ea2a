from email_service.mail import is_address
from weft_runtime.events.consumers import PermanentEventError
from weft_runtime.storage.database import Transaction


async def remember_recipient(tx: Transaction, user_id: str, address: str, display_name: str) -> None:
    """
    Notes whom to write to. Mails that waited for it leave at the mailer's next look.

    :raises PermanentEventError: for an address that nothing can be sent to
    """
    if not is_address(address):
        raise PermanentEventError("email is not an address to write to")
    await tx.execute(
        """insert into recipients (user_id, address, display_name) values ($1, $2, $3)
           on conflict (user_id) do update set address = excluded.address, display_name = excluded.display_name""",
        user_id,
        address,
        display_name,
    )
