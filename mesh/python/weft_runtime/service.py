"""What a service is, apart from the process it runs in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message import Message

from weft_runtime.events.consumers import EventHandler
from weft_runtime.polling_worker import Worker
from weft_runtime.rpc.rpc_server import AddRoutes
from weft_runtime.storage.database import Database, Migration
from weft_runtime.telemetry.log import Log
from weft_runtime.telemetry.metrics import Metrics
from weft_runtime.telemetry.tracer import Tracer


@dataclass(frozen=True, slots=True)
class ServiceParts:
    """What a process provides to a service."""

    database: Database
    log: Log
    #: For instruments of the service's own.
    metrics: Metrics
    #: For work that goes on beside calls and events: it continues the trace of what caused it.
    tracer: Tracer
    #: For settings of the service's own; parse strictly, refuse to start on gaps.
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ServiceComposition:
    """What a service adds to the process."""

    #: Registers the handlers.
    routes: AddRoutes
    #: Events it consumes.
    consumers: Sequence[EventHandler] = ()
    #: Work that goes on beside calls and events.
    workers: Sequence[Worker] = ()


@dataclass(frozen=True, slots=True)
class ServiceDefinition:
    """Description of a service; ``service.py`` of each service has one."""

    #: Service of the contract; its policy option carries the name in the mesh.
    contract: ServiceDescriptor
    #: In order; names never change.
    migrations: Sequence[Migration]
    compose: Callable[[ServiceParts], ServiceComposition]
    #: Events it records.
    emits: Sequence[type[Message]] = ()
