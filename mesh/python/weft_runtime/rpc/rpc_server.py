"""The server of a service: its calls, health, reflection and HTTP pages on one port."""

import json
from collections.abc import Awaitable, Callable, Sequence

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server as add_health

from weft_runtime.identity.credentials import Credentials, CredentialSet
from weft_runtime.identity.peer import Peer
from weft_runtime.rpc.call_parts import CallParts
from weft_runtime.rpc.health import Health
from weft_runtime.rpc.http_pages import Page
from weft_runtime.rpc.one_port import OnePort, trust_was_withdrawn
from weft_runtime.rpc.reflection import add_reflection
from weft_runtime.rpc.serve_calls import ServeCalls
from weft_runtime.rpc.tls_gate import TlsGate
from weft_runtime.telemetry.log import Log
from weft_runtime.telemetry.metrics import Metrics

#: Largest message a service accepts, in bytes after decompression.
_most_message = 1024 * 1024
#: Longest time that calls in flight get to finish when the server closes, in seconds.
_grace = 8.0

_options = [
    ("grpc.max_receive_message_length", _most_message),
    ("grpc.max_concurrent_streams", 100),
    ("grpc.max_metadata_size", 16 * 1024),
    ("grpc.so_reuseport", 0),
    # Peers ping connections without calls every 20 s to find out whether we are there; grpcio would end them.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.keepalive_permit_without_calls", 1),
    # And we do, to find out whether they are.
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 10_000),
]

#: Adds handlers to a server: the generated add_XServicer_to_server with a servicer.
AddRoutes = Callable[[grpc.aio.Server], None]


class RpcServer:
    """A server that does not listen yet."""

    def __init__(
        self, contracts: Sequence[ServiceDescriptor], credentials: Credentials | None, log: Log
    ) -> None:
        self.health = Health([contract.full_name for contract in contracts])
        self._contracts = contracts
        self._inner: grpc.aio.Server | None = None
        self._port = OnePort({}, TlsGate(credentials) if credentials else None, log)
        if credentials:
            credentials.on_renewal(self._renewed)
        self._credentials = credentials

    def peer_of(self, inner: str) -> Peer:
        """Who makes a call whose peer grpcio names ``inner``."""
        return self._port.peer_of(inner)

    async def listen(
        self, host: str, port: int, routes: Sequence[AddRoutes], parts: CallParts, metrics: Metrics
    ) -> int:
        """
        :returns: the port listened on
        :raises OSError: when it is taken
        """
        # Not pages[...] in __init__: what they tell is there only now.
        self._port.pages |= {
            "/healthz": _json_page(lambda: (200, {"status": "ok"})),
            "/readyz": _json_page(lambda: (200 if self.health.ready else 503, {"ready": self.health.ready})),
            "/metrics": _metrics_page(metrics),
        }
        await self.health.set_ready(False)
        server = grpc.aio.server(
            interceptors=[ServeCalls(_methods(self._contracts), parts)],
            options=_options,
            maximum_concurrent_rpcs=1_000,
        )
        for add in routes:
            add(server)
        add_health(self.health, server)  # type: ignore[no-untyped-call]
        add_reflection([*(each.full_name for each in self._contracts), "grpc.health.v1.Health"], server)
        inner_port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        self._inner = server
        return await self._port.listen(host, port, inner_port)

    async def close(self) -> None:
        """Refuses new connections and calls, lets those in flight finish."""
        self._port.refuse_new()
        self.health.close()
        if self._inner:
            await self._inner.stop(_grace)
        await self._port.close()

    def _renewed(self, before: CredentialSet) -> None:
        assert self._credentials is not None
        if trust_was_withdrawn(before, self._credentials.current):
            self._port.trust_withdrawn()


def _methods(contracts: Sequence[ServiceDescriptor]) -> dict[str, MethodDescriptor]:
    return {
        f"/{contract.full_name}/{method.name}": method
        for contract in contracts
        for method in contract.methods
    }


def _json_page(read: Callable[[], tuple[int, object]]) -> Callable[[], Awaitable[Page]]:
    async def page() -> Page:
        status, body = read()
        return Page(status, "application/json; charset=utf-8", json.dumps(body).encode())

    return page


def _metrics_page(metrics: Metrics) -> Callable[[], Awaitable[Page]]:
    async def page() -> Page:
        return Page(200, "text/plain; version=0.0.4; charset=utf-8", await metrics.text())

    return page
