"""The same expectations as ../../mail.test.ts and ../../settings.test.ts."""

from datetime import UTC, datetime

import pytest

from email_service.mail import Item, Letter, OrderSummary, Sum, format_sum, is_address, write_mail
from email_service.settings import read_settings
from weft_runtime.settings_reader import ConfigError


def usd(units: str, nanos: int = 0) -> Sum:
    return Sum("USD", units, nanos)


ID = "01900000-0000-7000-8000-0000000000aa"
ITEMS = [Item("House Espresso", 2, usd("12", 900_000_000)), Item("Mug", 1, usd("8"))]
ORDER = OrderSummary(ITEMS, usd("33", 800_000_000), "")
PLACED = datetime(2026, 11, 22, 10, tzinfo=UTC)


def letter(
    name: str = "Alice",
    order: OrderSummary = ORDER,
    placed_at: datetime | None = PLACED,
    cancelled: bool = False,
) -> Letter:
    kind = "ORDER_CANCELLATION" if cancelled else "ORDER_CONFIRMATION"
    return Letter(kind, ID, order, name, placed_at)  # type: ignore[arg-type]


def test_a_confirmation_names_the_order_each_item_and_the_total() -> None:
    mail = write_mail(letter())
    assert mail.subject == f"Your order {ID} is confirmed"
    assert mail.text == (
        f"Hello Alice,\n\nyour order {ID} of 2026-11-22 is confirmed and paid.\n\n"
        "2 × House Espresso, 12.90 USD each: 25.80 USD\n1 × Mug, 8.00 USD each: 8.00 USD\n\n"
        "Total: 33.80 USD\n\nThank you for your order.\n"
    )
    for part in (ID, "House Espresso", "25.80 USD", "33.80 USD"):
        assert part in mail.html


def test_a_cancellation_says_why_and_that_nothing_is_owed() -> None:
    order = OrderSummary(ITEMS, ORDER.total, "the payment was declined")
    mail = write_mail(letter(order=order, placed_at=None, cancelled=True))
    assert mail.subject == f"Your order {ID} is cancelled"
    assert f"your order {ID} is cancelled: the payment was declined." in mail.text
    assert "Whatever was charged for it is given back." in mail.text


def test_what_people_typed_is_text_and_never_markup_or_a_line() -> None:
    items = [Item("""<img src="x" onerror='a&b'>""", 1, usd("1"))]
    mail = write_mail(letter("A\r\nBcc: b@example.com\u202egnp.exe\0", OrderSummary(items, ORDER.total, "")))
    assert mail.text.split("\n")[0] == "Hello A Bcc: b@example.com gnp.exe,"
    assert "&lt;img src=&quot;x&quot; onerror=&#39;a&amp;b&#39;&gt;" in mail.html
    assert write_mail(letter(" \r\n")).text.startswith("Hello,\n")


def test_sums_keep_every_digit_that_matters() -> None:
    assert format_sum(usd("9007199254740993", 10_000_000)) == "9007199254740993.01 USD"
    assert format_sum(usd("0", 1_000_000)) == "0.001 USD"
    assert format_sum(usd("5")) == "5.00 USD"
    assert format_sum(usd("0", -500_000_000)) == "-0.50 USD"


def test_an_order_is_stored_as_it_is_read() -> None:
    assert OrderSummary.from_json(ORDER.to_json()) == ORDER


@pytest.mark.parametrize("address", ["alice@example.com", "a.b+c@sub.example.co", "jürgen@exämple.de"])
def test_an_address(address: str) -> None:
    assert is_address(address)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alice",
        "a@b@c",
        "a@b.c, d@e.f",
        "a@b.c\r\nBcc: d@e.f",
        "<a@b.c>",
        '"a b"@c.d',
        "a@b.c;d",
        "a\x00@b.c",
        f"{'a' * 251}@b.c",
        "@b.c",
        "a@",
    ],
)
def test_no_address(text: str) -> None:
    assert not is_address(text)


def test_settings_name_what_is_wrong_without_its_value() -> None:
    url = "smtp://user:s3cret@127.0.0.1:1025"
    assert read_settings({"SMTP_URL": url}).sender.address == "shop@example.com"
    assert read_settings({"SMTP_URL": url, "MAIL_FROM": "Shop <no-reply@shop.test>"}).sender.name == "Shop"
    for env in ({}, {"SMTP_URL": "http://user:s3cret@host"}, {"SMTP_URL": "s3cret"}):
        with pytest.raises(ConfigError, match="SMTP_URL") as refused:
            read_settings(env)
        assert "s3cret" not in str(refused.value)
    for sender in ("", "Shop", "Shop <a@b", "a@b, c@d", "Shop\r\nBcc: x@y.z <a@b.c>"):
        with pytest.raises(ConfigError, match="MAIL_FROM"):
            read_settings({"SMTP_URL": url, "MAIL_FROM": sender})
