from weft_runtime.service import ServiceComposition, ServiceDefinition, ServiceParts
from {{package}} import {{file}}_pb2
from {{package}}.events_pb2 import {{Thing}}Created
from {{package}}.{{file}}_pb2_grpc import add_{{Thing}}ServiceServicer_to_server

from {{file}}_service.events import {{file}}_events
from {{file}}_service.rpc import {{Thing}}Rpc
from {{file}}_service.storage import migrations


def _compose(parts: ServiceParts) -> ServiceComposition:
    rpc = {{Thing}}Rpc(parts.database)
    return ServiceComposition(
        routes=lambda server: add_{{Thing}}ServiceServicer_to_server(rpc, server),
        consumers={{file}}_events,
    )


{{file}} = ServiceDefinition(
    contract={{file}}_pb2.DESCRIPTOR.services_by_name["{{Thing}}Service"],
    migrations=migrations,
    compose=_compose,
    emits=[{{Thing}}Created],
)
