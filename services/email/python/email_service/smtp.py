import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, formataddr
from urllib.parse import unquote, urlsplit

import aiosmtplib

from email_service.mail import Address, Written

#: Longest waits for the mail server, in seconds: to connect, for each answer, until it has the mail, for its good-bye.
_connect_timeout = 3.0
_silence_timeout = 4.0
_send_timeout = 5.0
_quit_timeout = 1.0


@dataclass(frozen=True, slots=True)
class Envelope:
    """A mail with everything a server needs to take it."""

    written: Written
    #: Without the angle brackets.
    message_id: str
    sender: Address
    to: str
    date: datetime


class SmtpError(Exception):
    """The mail server did not take a mail. Says nothing that may name the recipient."""


#: Hands a mail to the mail server; ends when the server has taken it.
Send = Callable[[Envelope], Awaitable[None]]


def smtp_sender(url: str, silence_timeout: float = _silence_timeout) -> Send:
    """
    :param url: smtp:// or smtps://; a server that offers STARTTLS gets it
    :param silence_timeout: longest wait for an answer, in seconds
    """
    parts = urlsplit(url)
    secure = parts.scheme == "smtps"

    async def send(envelope: Envelope) -> None:
        client = aiosmtplib.SMTP(
            hostname=parts.hostname,
            port=parts.port or (465 if secure else 587),
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            use_tls=secure,
            timeout=silence_timeout,
        )
        try:
            async with asyncio.timeout(_send_timeout):
                await client.connect(timeout=_connect_timeout)
                await client.send_message(_message(envelope), sender=envelope.sender.address)
        except TimeoutError as error:
            client.close()
            raise SmtpError(f"no reply within {_send_timeout:g} s") from error
        except aiosmtplib.SMTPResponseException as error:
            client.close()
            raise SmtpError(f"{type(error).__name__} {error.code}") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            client.close()
            raise SmtpError(type(error).__name__) from None
        await _quit(client)

    return send


async def _quit(client: aiosmtplib.SMTP) -> None:
    """The mail is taken by then; a server that does not say good-bye makes no difference."""
    with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
        async with asyncio.timeout(_quit_timeout):
            await client.quit()
    client.close()


def _message(envelope: Envelope) -> EmailMessage:
    written = envelope.written
    international = not (envelope.to + envelope.sender.address).isascii()
    message = EmailMessage(policy=SMTPUTF8 if international else SMTP)
    message["Message-ID"] = f"<{envelope.message_id}>"
    message["Date"] = format_datetime(envelope.date)
    message["From"] = formataddr((envelope.sender.name, envelope.sender.address))
    # The address alone: a display name is the customer's own text and adds nothing to delivery.
    message["To"] = envelope.to
    message["Subject"] = written.subject
    message.set_content(written.text)
    message.add_alternative(written.html, subtype="html")
    return message
