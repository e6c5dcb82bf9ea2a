from shop.email.v1 import email_pb2
from shop.email.v1.email_pb2_grpc import add_EmailServiceServicer_to_server

from email_service.events import email_events
from email_service.rpc import EmailRpc
from email_service.send_mails import Mailer
from email_service.settings import read_settings
from email_service.smtp import smtp_sender
from email_service.storage import migrations
from weft_runtime.service import ServiceComposition, ServiceDefinition, ServiceParts


def _compose(parts: ServiceParts) -> ServiceComposition:
    settings = read_settings(parts.env)
    rpc = EmailRpc(parts.database)
    mailer = Mailer(
        database=parts.database,
        send=smtp_sender(settings.smtp_url),
        sender=settings.sender,
        log=parts.log,
        tracer=parts.tracer,
    )
    return ServiceComposition(
        routes=lambda server: add_EmailServiceServicer_to_server(rpc, server),
        consumers=email_events(),
        workers=[mailer.worker()],
    )


email = ServiceDefinition(
    contract=email_pb2.DESCRIPTOR.services_by_name["EmailService"],
    migrations=migrations,
    compose=_compose,
)
