"""Mails to a server that says what a test wants it to say."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest

from email_service.mail import Address, Written
from email_service.smtp import Envelope, SmtpError, smtp_sender

MAIL = Envelope(
    Written("Subject", "Text of ü\n", "<p>ü</p>\n"),
    "e1@example.com",
    Address("Weft, Shop", "shop@example.com"),
    "ann@example.com",
    datetime(2026, 11, 28, 10, tzinfo=UTC),
)
#: What it answers to each command; a command that is not here gets no answer.
POLITE = {
    "EHLO": "250 hello",
    "MAIL": "250 ok",
    "RCPT": "250 ok",
    "DATA": "354 go on",
    ".": "250 ok",
    "RSET": "250 ok",
    "QUIT": "221 bye",
}


async def send(answers: dict[str, str], patience: float = 60) -> list[str]:
    """Sends a mail. :param patience: seconds for each answer :returns: lines that the server got"""
    lines: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        in_data = False
        while line := (await reader.readline()).decode().rstrip("\r\n"):
            lines.append(line)
            command = line[:4].strip().upper()
            if in_data and line != ".":
                while (more := (await reader.readline()).decode().rstrip("\r\n")) != ".":
                    lines.append(more)
                command = "."
            in_data = command == "DATA"
            if command in answers:
                writer.write(f"{answers[command]}\r\n".encode())

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        await smtp_sender(f"smtp://127.0.0.1:{port}", silence_timeout=patience)(MAIL)
    finally:
        server.close()
    return lines


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 120))


def test_a_mail_has_its_message_id_its_sender_and_both_bodies() -> None:
    async def test() -> None:
        lines = await send(POLITE)
        assert "Message-ID: <e1@example.com>" in lines
        assert 'From: "Weft, Shop" <shop@example.com>' in lines
        assert "To: ann@example.com" in lines
        assert [line for line in lines if line.startswith("Content-Type: text/")] == [
            'Content-Type: text/plain; charset="utf-8"',
            'Content-Type: text/html; charset="utf-8"',
        ]

    run(test)


@pytest.mark.parametrize("silent", ["EHLO", "RCPT", "."])
def test_a_server_without_an_answer_has_not_taken_the_mail(silent: str) -> None:
    async def test() -> None:
        with pytest.raises(SmtpError):
            await send({name: answer for name, answer in POLITE.items() if name != silent}, patience=1)

    run(test)


def test_a_refusal_names_nobody() -> None:
    async def test() -> None:
        with pytest.raises(SmtpError) as refused:
            await send(POLITE | {"RCPT": "550 no ann@example.com here"})
        assert "ann" not in str(refused.value)

    run(test)


def test_a_server_that_says_no_good_bye_has_taken_the_mail() -> None:
    async def test() -> None:
        await send({name: answer for name, answer in POLITE.items() if name != "QUIT"}, patience=1)

    run(test)
