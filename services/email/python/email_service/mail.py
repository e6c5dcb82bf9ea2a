"""What the mails say, word for word as ../../mail.ts has it. No framework, no database."""

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

MailKind = Literal["ORDER_CONFIRMATION", "ORDER_CANCELLATION"]


@dataclass(frozen=True, slots=True)
class Address:
    """Somebody to write to or from. The name may be empty."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum as in google.type.Money, with the units in decimal digits so that it can be stored as JSON."""

    currency_code: str
    units: str
    nanos: int


@dataclass(frozen=True, slots=True)
class Item:
    """A line of an order."""

    product_name: str
    quantity: int
    unit_price: Sum


@dataclass(frozen=True, slots=True)
class OrderSummary:
    """The order as the mail speaks of it."""

    items: Sequence[Item]
    total: Sum
    #: Why it was cancelled, in words; empty for a confirmed order.
    reason: str

    def to_json(self) -> dict[str, Any]:
        """As it is stored, by either implementation of this service."""
        return {
            "items": [
                {
                    "productName": item.product_name,
                    "quantity": item.quantity,
                    "unitPrice": _sum_to_json(item.unit_price),
                }
                for item in self.items
            ],
            "total": _sum_to_json(self.total),
            "reason": self.reason,
        }

    @staticmethod
    def from_json(stored: dict[str, Any]) -> "OrderSummary":
        """What ``to_json`` gave."""
        items = [
            Item(item["productName"], item["quantity"], _sum_from_json(item["unitPrice"]))
            for item in stored["items"]
        ]
        return OrderSummary(items, _sum_from_json(stored["total"]), stored["reason"])


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail to write."""

    kind: MailKind
    order_id: str
    order: OrderSummary
    #: Name to greet with; may be empty.
    name: str
    #: When the order was placed; None when that is not known.
    placed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Written:
    """A mail as it is sent."""

    subject: str
    text: str
    html: str


def write_mail(letter: Letter) -> Written:
    """Writes a mail: plain text, and the same as HTML."""
    order, name = letter.order, _visible(letter.name)
    greeting = f"Hello {name}," if name else "Hello,"
    placed = f" of {letter.placed_at.date().isoformat()}" if letter.placed_at else ""
    confirmed = letter.kind == "ORDER_CONFIRMATION"
    if confirmed:
        news = f"your order {letter.order_id}{placed} is confirmed and paid."
    else:
        reason = f": {order.reason}" if order.reason else ""
        news = f"your order {letter.order_id}{placed} is cancelled{reason}."
    end = "Thank you for your order." if confirmed else "Whatever was charged for it is given back."
    lines = [
        (
            str(item.quantity),
            _visible(item.product_name),
            format_sum(item.unit_price),
            format_sum(_times(item.unit_price, item.quantity)),
        )
        for item in order.items
    ]
    total = format_sum(order.total)
    text = [
        greeting,
        "",
        news,
        "",
        *(f"{quantity} × {product}, {price} each: {sum_}" for quantity, product, price, sum_ in lines),
        "",
        f"Total: {total}",
        "",
        end,
        "",
    ]
    markup = [
        "<!doctype html>",
        '<html lang="en"><body>',
        f"<p>{_escape(greeting)}</p>",
        f"<p>{_escape(news)}</p>",
        "<table>",
        "<tr><th>Quantity</th><th>Product</th><th>Price</th><th>Sum</th></tr>",
        *(_row(line) for line in lines),
        f'<tr><th colspan="3">Total</th><td>{_escape(total)}</td></tr>',
        "</table>",
        f"<p>{_escape(end)}</p>",
        "</body></html>",
        "",
    ]
    subject = f"Your order {letter.order_id} is {'confirmed' if confirmed else 'cancelled'}"
    return Written(subject, "\n".join(text), "\n".join(markup))


def format_sum(sum_: Sum) -> str:
    """ "12.90 USD"; more digits when the sum has any."""
    fraction = re.sub(r"0{1,7}$", "", str(abs(sum_.nanos)).rjust(9, "0"))
    sign = "-" if sum_.nanos < 0 and not sum_.units.startswith("-") else ""
    return f"{sign}{sum_.units}.{fraction} {_visible(sum_.currency_code)}".rstrip()


def is_address(text: str) -> bool:
    """
    Whether ``text`` is one address that can stand in a header and in SMTP's RCPT TO without quoting (a dot-string of
    RFC 5321 section 4.1.2, with UTF-8 as RFC 6531 has it).
    """
    local, at, host = text.partition("@")
    return len(text) <= 254 and bool(local and at and host) and not any(map(_is_special, local + host))


def _visible(text: str) -> str:
    """Text of mail bodies: no character that hides, reorders or breaks lines."""
    parts: list[str] = []
    for character in text:
        if unicodedata.category(character) not in ("Cc", "Cf", "Zl", "Zp"):
            parts.append(character)
        elif not parts or parts[-1] != "\0":
            parts.append("\0")  # stands for any number of them
    return "".join(parts).replace("\0", " ").strip()


def _times(sum_: Sum, quantity: int) -> Sum:
    billionths = (int(sum_.units) * 10**9 + sum_.nanos) * quantity
    sign = -1 if billionths < 0 else 1
    units, nanos = divmod(abs(billionths), 10**9)
    return Sum(sum_.currency_code, str(sign * units), sign * nanos)


def _row(cells: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<td>{_escape(cell)}</td>' for cell in cells)}</tr>"


def _escape(text: str) -> str:
    return html.escape(text).replace("&#x27;", "&#39;")


def _is_special(character: str) -> bool:
    return (
        character.isspace() or character in '<>()[]\\,;:@"' or unicodedata.category(character) in ("Cc", "Cf")
    )


def _sum_to_json(sum_: Sum) -> dict[str, Any]:
    return {"currencyCode": sum_.currency_code, "units": sum_.units, "nanos": sum_.nanos}


def _sum_from_json(stored: dict[str, Any]) -> Sum:
    return Sum(stored["currencyCode"], stored["units"], stored["nanos"])
