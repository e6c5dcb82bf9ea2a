import json
from dataclasses import dataclass
from datetime import datetime

from email_service.mail import MailKind, OrderSummary
from weft_runtime.storage.database import Transaction
from weft_runtime.telemetry.context import current_context
from weft_runtime.uuid7 import uuid7


@dataclass(frozen=True, slots=True)
class Wanted:
    """A mail that an event asks for."""

    event_id: str
    kind: MailKind
    order_id: str
    order_version: int
    customer_id: str
    order: OrderSummary
    occurred_at: datetime


async def queue_mail(tx: Transaction, mail: Wanted) -> None:
    """Puts a mail among those that wait. A repeat changes nothing: one event, and one outcome of an order, is one mail."""
    context = current_context()
    await tx.execute(
        """insert into emails (id, event_id, kind, order_id, order_version, customer_id, "order", occurred_at,
             request_id, traceparent)
           values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9, $10) on conflict (event_id) do nothing""",
        uuid7(),
        mail.event_id,
        mail.kind,
        mail.order_id,
        mail.order_version,
        mail.customer_id,
        json.dumps(mail.order.to_json()),
        mail.occurred_at,
        context.request_id if context else None,
        context.traceparent if context else None,
    )
