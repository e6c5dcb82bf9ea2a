"""Events that email consumes: decode, call a use case."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.money_pb2 import Money
from shop.auth.v1.events_pb2 import UserRegistered
from shop.order.v1.events_pb2 import OrderCancelled, OrderConfirmed, OrderPlaced
from shop.order.v1.order_pb2 import Order

from email_service.mail import Item, MailKind, OrderSummary, Sum
from email_service.queue_mail import Wanted, queue_mail
from email_service.remember_order import remember_order
from email_service.remember_recipient import remember_recipient
from weft_runtime.events.consumers import EventContext, EventHandler, on


def email_events() -> list[EventHandler]:
    return [
        on(UserRegistered, _user_registered),
        on(OrderPlaced, _order_placed),
        on(OrderConfirmed, _order_confirmed),
        on(OrderCancelled, _order_cancelled),
    ]


_reasons = {
    Order.CancelReason.REQUESTED: "as you asked",
    Order.CancelReason.OUT_OF_STOCK: "there are not enough pieces in stock",
    Order.CancelReason.PAYMENT_DECLINED: "the payment was declined",
    Order.CancelReason.TIMED_OUT: "it could not be completed in time",
}


async def _user_registered(event: UserRegistered, context: EventContext) -> None:
    await remember_recipient(context.tx, event.user_id, event.email, event.display_name)


async def _order_placed(event: OrderPlaced, context: EventContext) -> None:
    placed_at = _time_of(event, "placed_at", context)
    await remember_order(context.tx, event.order_id, placed_at)


async def _order_confirmed(event: OrderConfirmed, context: EventContext) -> None:
    await _queue("ORDER_CONFIRMATION", event, context, _time_of(event, "confirmed_at", context), "")


async def _order_cancelled(event: OrderCancelled, context: EventContext) -> None:
    reason = _reasons.get(event.reason, "")
    await _queue("ORDER_CANCELLATION", event, context, _time_of(event, "cancelled_at", context), reason)


async def _queue(
    kind: MailKind,
    event: OrderConfirmed | OrderCancelled,
    context: EventContext,
    occurred_at: datetime,
    reason: str,
) -> None:
    wanted = Wanted(
        event_id=context.id,
        kind=kind,
        order_id=event.order_id,
        order_version=event.version,
        customer_id=event.customer_id,
        order=_summary_of(event, reason),
        occurred_at=occurred_at,
    )
    await queue_mail(context.tx, wanted)


def _summary_of(event: OrderConfirmed | OrderCancelled, reason: str) -> OrderSummary:
    items = [Item(item.product_name, item.quantity, _sum_of(item.unit_price)) for item in event.items]
    return OrderSummary(items, _sum_of(event.total), reason)


def _sum_of(money: Money) -> Sum:
    return Sum(money.currency_code, str(money.units), money.nanos)


def _time_of(
    event: OrderPlaced | OrderConfirmed | OrderCancelled, field: str, context: EventContext
) -> datetime:
    """When it happened; when the event was recorded if it does not say."""
    if not event.HasField(field):
        return context.time
    time: Timestamp = getattr(event, field)
    return time.ToDatetime(UTC)
