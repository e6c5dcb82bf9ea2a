"""
DESIGN

Mails wait in the table `emails` until the mailer sends them:

    claim (commit) → SMTP → mark (commit)

No transaction is open during SMTP. A claim moves next_try_at beyond the longest conversation with the server, so that
no other replica, in whatever language, takes the mail meanwhile, and a crash gives it free by itself. A process that
stood still for so long that the mail may be another's leaves it alone. A crash between SMTP and mark sends it again
with the same Message-ID: a mail may be repeated, never lost.

Of one order, a mail waits for the earlier ones, and is not sent once a later one was tried. One that was tried waits
for nobody: what comes behind it is never sent.
"""

import asyncio
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import asyncpg

from email_service.mail import Address, Letter, OrderSummary, write_mail
from email_service.smtp import Envelope, Send, SmtpError
from weft_runtime.failpoint import failpoint
from weft_runtime.polling_worker import PollingWorker
from weft_runtime.storage.database import Database
from weft_runtime.telemetry.log import Log
from weft_runtime.telemetry.span import CLIENT, INTERNAL, SpanType
from weft_runtime.telemetry.tracer import Tracer, in_span

_batch = 8
#: Longer than a conversation with the mail server may take, in seconds.
_claim_seconds = 30
#: Seconds from the claim after which no conversation begins: it would not end within the claim.
_begin_within = 20.0
#: Seconds after which the sending of a mail is worth a look.
_slow = 2.0

_mail_span = SpanType("mail", INTERNAL, {})
_smtp_span = SpanType("smtp send", CLIENT, {"network.protocol.name": "smtp"})


@dataclass(frozen=True, slots=True)
class Mailer:
    """What sends mails, with what it works with."""

    database: Database
    send: Send
    sender: Address
    log: Log
    tracer: Tracer = field(default_factory=lambda: Tracer(1, None))
    #: Seconds of a clock that nobody sets; for tests.
    clock: Callable[[], float] = time.monotonic

    def worker(self) -> PollingWorker:
        """Sends what waits until it is stopped."""

        async def look() -> bool:
            return await self.send_waiting() == _batch

        return PollingWorker(
            look,
            poll=0.25,
            pause_after_error=1.0,
            on_error=lambda error: self.log.warn("mails cannot be sent now", err=error),
        )

    async def send_waiting(self) -> int:
        """Sends the mails whose turn it is, a batch at most. :returns: how many were tried"""
        latest_begin = self.clock() + _begin_within
        claimed = await self._claim()
        results = await asyncio.gather(
            *(self._send_in_trace(mail, latest_begin) for mail in claimed), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return len(claimed)

    async def _claim(self) -> list[asyncpg.Record]:
        """Mails in hand, each with all that it takes to write it."""
        return await self.database.fetch(
            """with mail as (
                 update emails set attempts = attempts + 1, next_try_at = now() + make_interval(secs => $1)
                 where id in (
                   select mail.id from emails mail
                   where mail.sent_at is null and mail.next_try_at <= now()
                     and exists (select from recipients where user_id = mail.customer_id)
                     and not exists (select from emails other where other.order_id = mail.order_id and (
                       (other.order_version < mail.order_version and other.sent_at is null and mail.attempts = 0)
                       or (other.order_version > mail.order_version and other.attempts > 0)))
                   order by mail.next_try_at limit $2 for update skip locked)
                 returning *
               )
               select mail.*, address, display_name, placed_at from mail
               join recipients on user_id = customer_id left join placed_orders using (order_id)""",
            _claim_seconds,
            _batch,
        )

    async def _send_in_trace(self, mail: asyncpg.Record, latest_begin: float) -> None:
        """In the trace of the event that asked for it."""
        more = {"mail.id": str(mail["id"]), "mail.kind": mail["kind"], "mail.attempts": mail["attempts"]}
        with self.tracer.run(
            _mail_span,
            request_id=mail["request_id"],
            traceparent=mail["traceparent"],
            slow_seconds=_slow,
            more=more,
        ):
            if self.clock() < latest_begin:
                return await self._send_one(mail)
            self.log.warn("a mail is left to a later claim: this process stood still", mailId=str(mail["id"]))

    async def _send_one(self, mail: asyncpg.Record) -> None:
        written = write_mail(
            Letter(
                kind=mail["kind"],
                order_id=str(mail["order_id"]),
                order=OrderSummary.from_json(json.loads(mail["order"])),
                name=mail["display_name"],
                placed_at=mail["placed_at"],
            )
        )
        message_id = f"{mail['event_id']}@{self.sender.address.partition('@')[2]}"
        envelope = Envelope(written, message_id, self.sender, mail["address"], mail["occurred_at"])
        try:
            failpoint("mail.send.before")
            with in_span(_smtp_span):
                await self.send(envelope)
            failpoint("mail.send.after")
        except SmtpError as error:
            seconds = _wait_after(mail["attempts"])
            self.log.warn(
                "a mail was not taken",
                mailId=str(mail["id"]),
                orderId=str(mail["order_id"]),
                attempts=mail["attempts"],
                retryInSeconds=seconds,
                err=error,
            )
            await self.database.execute(
                "update emails set next_try_at = now() + make_interval(secs => $1) where id = $2",
                seconds,
                mail["id"],
            )
            return
        await self.database.execute(
            "update emails set sent_at = $1, recipient = $2, subject = $3 where id = $4",
            _now(),
            mail["address"],
            written.subject,
            mail["id"],
        )


def _now() -> datetime:
    """In whole milliseconds: page tokens hold no more."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1_000 * 1_000)


def _wait_after(attempts: int) -> float:
    """Seconds until the next try: 1, 2, 4, ... 60, jittered by a fifth."""
    return min(60.0, 2.0 ** min(attempts - 1, 6)) * random.uniform(0.8, 1.2)
