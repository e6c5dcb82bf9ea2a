"""The one port, by real connections: who may call by what, and what becomes of open connections."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from certificates import HOUR, Authority
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc
from weft.mesh.v1 import mesh_pb2
from weft.mesh.v1.mesh_pb2_grpc import MeshServiceServicer, MeshServiceStub, add_MeshServiceServicer_to_server

from weft_runtime.identity.credentials import Credentials
from weft_runtime.identity.identify_caller import identify_callers
from weft_runtime.identity.jwks import Jwks
from weft_runtime.identity.spiffe_id import TrustDomain
from weft_runtime.identity.user_token import UserVerifier
from weft_runtime.rpc.call_parts import CallParts
from weft_runtime.rpc.goaway import FrameWalk
from weft_runtime.rpc.rpc_server import RpcServer
from weft_runtime.rpc.server_load import ServerLoad
from weft_runtime.telemetry.log import create_log
from weft_runtime.telemetry.metrics import Metrics
from weft_runtime.telemetry.tracer import Tracer

DOMAIN = TrustDomain("weft.local", "default")
CONTRACT = mesh_pb2.DESCRIPTOR.services_by_name["MeshService"]


class Slow(MeshServiceServicer):
    """Answers when it may."""

    def __init__(self) -> None:
        self.called = asyncio.Event()
        self.may = asyncio.Event()
        self.may.set()

    async def GetState(self, request: mesh_pb2.GetStateRequest, context: Any) -> mesh_pb2.ProcessState:
        self.called.set()
        await self.may.wait()
        return mesh_pb2.ProcessState(service="shelf")


class Served:
    """A process that serves, and how to call it."""

    def __init__(
        self, port: int, credentials: Credentials, files: tuple[str, str, str], handler: Slow
    ) -> None:
        self.port = port
        self.credentials = credentials
        self.files = files
        self.handler = handler

    def channel(
        self,
        trusted: Authority,
        caller: str | None = "operator",
        by: Authority | None = None,
        life: Any = 24 * HOUR,
    ) -> grpc.aio.Channel:
        certificate, key = (by or trusted).issue(caller, life) if caller else (None, None)
        secure = grpc.ssl_channel_credentials(trusted.roots, key, certificate)
        # Each channel has connections of its own.
        options = [("grpc.use_local_subchannel_pool", 1)]
        return grpc.aio.secure_channel(f"localhost:{self.port}", secure, options)

    def page(self, path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code


@asynccontextmanager
async def served(folder: Path, authority: Authority) -> AsyncIterator[Served]:
    log = create_log("shelf", "silent")
    files = authority.write(folder, "shelf")
    credentials = Credentials("shelf", DOMAIN, files, log)
    server = RpcServer([CONTRACT], credentials, log)
    metrics, handler = Metrics(), Slow()
    parts = CallParts(
        log=log,
        tracer=Tracer(1, None),
        metrics=metrics,
        load=ServerLoad(0),
        faults=None,
        identify_caller=identify_callers("none", "shelf", DOMAIN),
        users=UserVerifier(Jwks(lambda: b""), "issuer", "audience", None),
        direct_calls=False,
        peer_of=server.peer_of,
    )
    routes = [lambda inner: add_MeshServiceServicer_to_server(handler, inner)]
    port = await server.listen("127.0.0.1", 0, routes, parts, metrics)
    await server.health.set_ready(True)
    try:
        yield Served(port, credentials, files, handler)
    finally:
        await server.close()


async def refusal(channel: grpc.aio.Channel) -> str:
    """Code and reason; "OK" for none."""
    try:
        await MeshServiceStub(channel).GetState(mesh_pb2.GetStateRequest(), timeout=60)
        return "OK"
    except grpc.aio.AioRpcError as error:
        details = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
        info = ErrorInfo()
        for detail in Status.FromString(details).details:
            detail.Unpack(info)
        return f"{error.code().name} {info.reason}"


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 120))


@pytest.fixture
def authority() -> Authority:
    return Authority()


def test_callers_are_who_their_certificates_say(tmp_path: Path, authority: Authority) -> None:
    async def test() -> None:
        async with served(tmp_path, authority) as shelf:
            assert await refusal(shelf.channel(authority)) == "OK"
            assert await refusal(shelf.channel(authority, "order")) == "PERMISSION_DENIED CALLER_DENIED"
            assert await refusal(shelf.channel(authority, None)) == "UNAUTHENTICATED WORKLOAD_MISSING"
            stranger = shelf.channel(authority, "operator", by=Authority("of somebody else"))
            assert await refusal(stranger) == "UNAUTHENTICATED WORKLOAD_INVALID"
            expired = shelf.channel(authority, "operator", life=-HOUR)
            assert await refusal(expired) == "UNAUTHENTICATED WORKLOAD_INVALID"
            plain = grpc.aio.insecure_channel(f"127.0.0.1:{shelf.port}")
            assert await refusal(plain) == "UNAUTHENTICATED WORKLOAD_MISSING"

    run(test)


def test_probes_are_answered_on_the_same_port_without_a_certificate(
    tmp_path: Path, authority: Authority
) -> None:
    async def test() -> None:
        async with served(tmp_path, authority) as shelf:
            for path, status in (("/healthz", 200), ("/readyz", 200), ("/metrics", 200), ("/else", 404)):
                assert await asyncio.to_thread(shelf.page, path) == status, path
            async with grpc.aio.insecure_channel(f"127.0.0.1:{shelf.port}") as plain:
                health = health_pb2_grpc.HealthStub(plain)  # type: ignore[no-untyped-call]
                asked = health_pb2.HealthCheckRequest(service=CONTRACT.full_name)
                assert (await health.Check(asked)).status == health_pb2.HealthCheckResponse.SERVING

    run(test)


def test_a_renewed_certificate_drops_no_call_and_is_shown_from_then_on(
    tmp_path: Path, authority: Authority
) -> None:
    async def test() -> None:
        async with served(tmp_path, authority) as shelf:
            channel = shelf.channel(authority)
            shelf.handler.may.clear()
            call = asyncio.create_task(refusal(channel))
            await shelf.handler.called.wait()
            newer = Authority("newer")
            newer.write(tmp_path, "shelf")
            Path(shelf.files[2]).write_bytes(authority.roots + newer.roots)  # noqa: ASYNC240 it is small
            shelf.credentials.reload()
            shelf.handler.may.set()
            assert await call == "OK"
            assert await refusal(channel) == "OK"
            # It trusts the newer authority alone, and so does the process trust its callers.
            assert await refusal(shelf.channel(newer)) == "OK"

    run(test)


def test_a_root_that_is_withdrawn_ends_the_trust_in_open_connections_and_no_call(
    tmp_path: Path, authority: Authority
) -> None:
    async def test() -> None:
        async with served(tmp_path, authority) as shelf:
            newer = Authority("newer")
            certificate, key = authority.issue("operator")
            secure = grpc.ssl_channel_credentials(authority.roots + newer.roots, key, certificate)
            channel = grpc.aio.secure_channel(f"localhost:{shelf.port}", secure)
            shelf.handler.may.clear()
            call = asyncio.create_task(refusal(channel))
            await shelf.handler.called.wait()
            newer.write(tmp_path, "shelf")
            shelf.credentials.reload()
            # Whether by the old connection or by a new one.
            assert await refusal(channel) == "UNAUTHENTICATED WORKLOAD_INVALID"
            shelf.handler.may.set()
            assert await call == "OK"
            assert await refusal(channel) == "UNAUTHENTICATED WORKLOAD_INVALID"
            assert await refusal(shelf.channel(newer)) == "OK"

    run(test)


def test_a_frame_is_put_between_frames_only() -> None:
    frames = b"".join(len(body).to_bytes(3, "big") + bytes(6) + body for body in (b"", b"a" * 300, b"b"))
    ends = {9, 318, 328}
    for size in (1, 7, 9, 318, 1_000):
        walk, at = FrameWalk(), 0
        while at < len(frames):
            walk.feed(frames[at : at + size])
            at = min(at + size, len(frames))
            assert walk.is_between_frames == (at in ends), (size, at)


def test_a_call_in_flight_is_finished_when_the_server_closes(tmp_path: Path, authority: Authority) -> None:
    async def test() -> None:
        async with served(tmp_path, authority) as shelf:
            shelf.handler.may.clear()
            call = asyncio.create_task(refusal(shelf.channel(authority)))
            await shelf.handler.called.wait()
            asyncio.get_running_loop().call_later(0.2, shelf.handler.may.set)
        assert await call == "OK"

    run(test)


def test_whoever_watches_the_health_hears_of_the_end_and_does_not_hold_it_up(
    tmp_path: Path, authority: Authority
) -> None:
    async def test() -> None:
        async with served(tmp_path, authority) as shelf:
            channel = grpc.aio.insecure_channel(f"127.0.0.1:{shelf.port}")
            health = health_pb2_grpc.HealthStub(channel)  # type: ignore[no-untyped-call]
            watching = health.Watch(health_pb2.HealthCheckRequest())
            assert (await watching.read()).status == health_pb2.HealthCheckResponse.SERVING
            began = asyncio.get_running_loop().time()
        assert await watching.read() == grpc.aio.EOF
        assert asyncio.get_running_loop().time() - began < 5
        await channel.close()

    run(test)
