import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from weft.events.v1 import dead_letters_pb2
from weft.events.v1.dead_letters_pb2_grpc import add_DeadLetterServiceServicer_to_server
from weft.mesh.v1 import mesh_pb2
from weft.mesh.v1.mesh_pb2_grpc import add_MeshServiceServicer_to_server

from weft_runtime.config import Config
from weft_runtime.discovery.mesh_rpc import MeshRpc
from weft_runtime.discovery.registration import Registration
from weft_runtime.events.bus import Bus
from weft_runtime.events.consumers import Consumers, readers_of
from weft_runtime.events.dead_letter_rpc import DeadLetterRpc
from weft_runtime.events.observe import observe_events
from weft_runtime.events.prune import pruning
from weft_runtime.events.relay import Relay
from weft_runtime.faults.fault_list import Faults
from weft_runtime.idempotency.require_key import has_keyed_methods
from weft_runtime.idempotency.stored_replies import reply_pruning
from weft_runtime.identity.credentials import Credentials, load_credentials
from weft_runtime.identity.identify_caller import identify_callers
from weft_runtime.identity.jwks import Jwks, jwks_reader
from weft_runtime.identity.revocations import Revocations
from weft_runtime.identity.spiffe_id import TrustDomain
from weft_runtime.identity.user_token import UserVerifier
from weft_runtime.policy.method_policy import mesh_name_of
from weft_runtime.polling_worker import Worker
from weft_runtime.rpc.call_parts import CallParts
from weft_runtime.rpc.rpc_server import AddRoutes, RpcServer
from weft_runtime.rpc.server_load import ServerLoad
from weft_runtime.service import ServiceDefinition, ServiceParts
from weft_runtime.storage.database import Database, open_database
from weft_runtime.storage.observe_pool import observe_pool
from weft_runtime.telemetry.log import Log
from weft_runtime.telemetry.metrics import Metrics
from weft_runtime.telemetry.start_telemetry import start_telemetry

#: How long a start waits for what is known of revoked tokens, in seconds.
_patience = 1.0

_dead_letters = dead_letters_pb2.DESCRIPTOR.services_by_name["DeadLetterService"]
_mesh = mesh_pb2.DESCRIPTOR.services_by_name["MeshService"]


@dataclass(frozen=True, slots=True)
class RunningService:
    """A service that serves."""

    name: str
    #: TCP port it listens on.
    port: int
    #: Finishes what is under way and lets go of everything, within about 10 s.
    stop: Callable[[], Awaitable[None]]


async def start_service(definition: ServiceDefinition, config: Config, log: Log) -> RunningService:
    """
    Starts a service in this process.

    :raises Exception: when a setting is missing, the database cannot be migrated or the port is taken
    """
    name = mesh_name_of(definition.contract)
    telemetry = start_telemetry(name, config.env, log)
    metrics, tracer = telemetry.metrics, telemetry.tracer
    domain = TrustDomain(config.trust_domain, config.namespace)
    credentials = load_credentials(name, config, log)
    database = await open_database(config.database_url, definition.migrations, log)
    bus = Bus(config.nats_url, name, log)
    composition = definition.compose(ServiceParts(database, log, metrics, tracer, config.env))
    readers = readers_of(name, database, composition.consumers, log, tracer)
    workers: list[Worker] = [*composition.workers, pruning(database, log)]
    if has_keyed_methods([definition.contract]):
        workers.append(reply_pruning(database, log))
    if definition.emits:
        workers.append(Relay(database, bus, definition.emits, config.stream_replicas, metrics, tracer, log))

    revocations = Revocations(bus, log)
    faults = Faults(bus, log) if config.faults else None
    load = ServerLoad(config.shed_late)
    contracts = [definition.contract, _mesh, *([_dead_letters] if readers else [])]
    server = RpcServer(contracts, credentials, log)
    jwks = Jwks(jwks_reader(config.jwks_url, config.jwks_service, credentials, domain))
    parts = CallParts(
        log=log,
        tracer=tracer,
        metrics=metrics,
        load=load,
        faults=faults,
        identify_caller=identify_callers(config.mesh, name, domain),
        users=UserVerifier(jwks, config.token_issuer, config.token_audience, revocations),
        direct_calls=config.direct_calls,
        peer_of=server.peer_of,
    )
    mesh_rpc = MeshRpc(name, config, credentials, bus, load)
    dead_letter_rpc = DeadLetterRpc(database, log, readers)
    routes: list[AddRoutes] = [
        composition.routes,
        lambda inner: add_MeshServiceServicer_to_server(mesh_rpc, inner),
        lambda inner: add_DeadLetterServiceServicer_to_server(dead_letter_rpc, inner),
    ]
    # Without NATS there is nobody to hear of revoked tokens from; that must not keep a service from starting.
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(revocations.loaded.wait(), _patience)
    _observe(metrics, database, load, credentials)
    observe_events(metrics, database, bus, readers)
    port = await server.listen(config.host, config.port, routes, parts, metrics)

    # After the server: an event or a worker may lead to calls that come back here.
    consumers = Consumers(readers, bus, metrics)
    for worker in workers:
        worker.start()
    if credentials:
        credentials.start()
    await server.health.set_ready(True)
    in_registry = config.discovery == "registry"
    registration = Registration(bus, name, config, port, log) if in_registry else None
    log.info("ready", port=port)

    async def stop() -> None:
        await server.health.set_ready(False)  # balancers look away before anything closes
        if registration:
            await registration.end()  # callers do, too: no new calls once they have heard of it
        await consumers.stop()  # no new events
        await server.close()  # no new calls; those in flight finish
        load.stop()
        await asyncio.gather(*(worker.stop() for worker in workers))
        revocations.stop()
        if faults:
            faults.stop()
        await bus.close()
        await database.close()
        if credentials:
            credentials.stop()
        await telemetry.stop()  # last: all of the above may have ended spans
        log.info("stopped")

    return RunningService(name, port, stop)


def _observe(metrics: Metrics, database: Database, load: ServerLoad, credentials: Credentials | None) -> None:
    observe_pool(metrics, database)
    metrics.value("weft_load_in_flight", "Calls in flight", lambda: load.in_flight)
    metrics.value("weft_load_shed_level", "What is given up, from 0, nothing, to 3", lambda: load.level)
    metrics.value("weft_load_shed", "Calls given up for lack of capacity", lambda: load.shed, total=True)
    if credentials:
        metrics.value(
            "weft_certificate_expiry_seconds",
            "Time until the certificate of this process expires",
            lambda: (credentials.current.not_after - datetime.now(UTC)).total_seconds(),
        )
