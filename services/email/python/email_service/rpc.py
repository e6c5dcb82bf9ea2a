"""Handlers of EmailService: translate, call, translate."""

from typing import Any

from shop.email.v1 import email_pb2 as pb
from shop.email.v1.email_pb2_grpc import EmailServiceServicer

from email_service.list_emails import SentEmail, list_emails
from weft_runtime.storage.database import Database


class EmailRpc(EmailServiceServicer):
    def __init__(self, database: Database) -> None:
        self._database = database

    async def ListEmails(self, request: pb.ListEmailsRequest, context: Any) -> pb.ListEmailsResponse:
        emails, next_page_token = await list_emails(
            self._database,
            page_size=request.page_size,
            page_token=request.page_token,
            order_id=request.order_id,
        )
        return pb.ListEmailsResponse(
            emails=[_message(email) for email in emails], next_page_token=next_page_token
        )


def _message(email: SentEmail) -> pb.Email:
    message = pb.Email(
        id=str(email.id),
        kind=email.kind,
        recipient=email.recipient,
        subject=email.subject,
        order_id=str(email.order_id),
        event_id=email.event_id,
    )
    message.sent_at.FromDatetime(email.sent_at)
    return message
