"""
DESIGN

HTTP/1.1 and HTTP/2 on one port, each with and without TLS, as every process of the mesh has it: the first bytes of a
connection tell which it is. grpcio's own server can do neither, so it listens on a port of its own that only this
machine reaches, and HTTP/2 connections are passed on to it byte by byte. Who is at the other end of such a connection
is known here by the local port that it leaves from; a call's peer names that port. Whoever connects to the inner port
directly is nobody, like anybody who connects to the outer one in plaintext.

    network ── first bytes ──┬─ TLS ── first bytes ──┐
                             ├─ HTTP/2 ──────────────┼── inner port: grpcio
                             └─ HTTP/1.1 ────────────┴── pages
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable

from OpenSSL import SSL

from weft_runtime.identity.credentials import CredentialSet
from weft_runtime.identity.peer import Peer, Proved, Refused, Silent
from weft_runtime.rpc.goaway import GOAWAY, FrameWalk
from weft_runtime.rpc.http_pages import HttpPages, PageConnection
from weft_runtime.rpc.tls_gate import TlsEnd, TlsGate
from weft_runtime.telemetry.log import Log

#: Client connection preface of HTTP/2 (RFC 9113, section 3.4).
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#: First byte of a TLS handshake (RFC 8446, section 5.1).
_HANDSHAKE = 0x16
#: Time a new connection has to show what it speaks, TLS included, in seconds.
_decide_within = 10.0
_most_connections = 1_000
#: Longer than the longest call: time that clients get to leave once they are asked to, in seconds.
_leave_within = 90.0
#: Failed handshakes that are logged in a second: anybody may cause them.
_logged_per_second = 5


class OnePort:
    """What listens. ``gate`` is None where a mesh encrypts: connections that begin with TLS are refused then."""

    def __init__(self, pages: HttpPages, gate: TlsGate | None, log: Log) -> None:
        self.pages = pages
        self.gate = gate
        self.connections: set[_Incoming] = set()
        self._log = log
        self._peers: dict[str, Peer] = {}
        self._server: asyncio.Server | None = None
        self._inner_port = 0
        self._failures = (0, 0)

    async def listen(self, host: str, port: int, inner_port: int) -> int:
        """
        :param inner_port: of grpcio's server, on 127.0.0.1
        :returns: the port listened on
        :raises OSError: when the port is taken
        """
        self._inner_port = inner_port
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Incoming(self), host, port, backlog=256)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    def peer_of(self, inner: str) -> Peer:
        """Who makes a call whose peer grpcio names ``inner``."""
        return self._peers.get(inner, Silent())

    def refuse_new(self) -> None:
        """Takes no new connections."""
        if self._server:
            self._server.close()

    async def close(self) -> None:
        """Ends all connections; grpcio has ended its calls by then."""
        self.refuse_new()
        for connection in list(self.connections):
            connection.close()

    def trust_withdrawn(self) -> None:
        """
        A root is not trusted any more: who was known by it has to show a certificate again. Calls in flight are
        finished; new ones on the old connections are refused.
        """
        for name in self._peers:
            if isinstance(self._peers[name], Proved):
                self._peers[name] = Refused("its root was withdrawn while it was connected")
        for connection in list(self.connections):
            if connection.is_secure:
                connection.ask_to_leave()

    async def open_inner(self, incoming: "_Incoming", peer: Peer) -> asyncio.Transport:
        """A connection to grpcio's server in the name of ``peer``."""
        outer = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            outer.setblocking(False)
            outer.bind(("127.0.0.1", 0))
            name = f"ipv4:127.0.0.1:{outer.getsockname()[1]}"
            loop = asyncio.get_running_loop()
            await loop.sock_connect(outer, ("127.0.0.1", self._inner_port))
            # Before the first byte can be passed on.
            self._peers[name] = peer

            def forget() -> None:
                self._peers.pop(name, None)

            transport, _ = await loop.create_connection(lambda: _Inner(incoming, forget), sock=outer)
            return transport
        except BaseException:
            outer.close()
            raise

    def handshake_failed(self, error: Exception, address: object) -> None:
        second, logged = self._failures
        now = int(asyncio.get_running_loop().time())
        if now != second:
            logged = 0
        if logged < _logged_per_second:
            self._log.warn("TLS handshake failed", problem=str(error), remoteAddress=str(address))
        self._failures = (now, logged + 1)


class _Incoming(asyncio.Protocol):
    """A connection from the network."""

    def __init__(self, port: OnePort) -> None:
        self._port = port
        self._transport: asyncio.Transport
        self._tls: TlsEnd | None = None
        self._seen = b""
        self._decided = False
        self._inner: asyncio.Transport | None = None
        self._pages: PageConnection | None = None
        self._opening: asyncio.Task[None] | None = None
        self._paused = False
        self._walk = FrameWalk()
        self._leaving = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_secure(self) -> bool:
        return self._tls is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._port.connections.add(self)
        if len(self._port.connections) > _most_connections:
            transport.abort()
            return
        self._timer = asyncio.get_running_loop().call_later(_decide_within, transport.abort)

    def data_received(self, data: bytes) -> None:
        if self._tls is None and not self._decided and not self._seen and data[0] == _HANDSHAKE:
            if self._port.gate is None:
                self._transport.abort()
                return
            self._tls = self._port.gate.open()
        if self._tls is None:
            self._take(data)
            return
        try:
            plain = self._tls.feed(data)
        except SSL.Error as error:
            self._port.handshake_failed(error, self._transport.get_extra_info("peername"))
            self._flush()
            self._transport.close()
            return
        self._flush()
        if plain:
            self._take(plain)

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._port.connections.discard(self)
        self._stop_timer()
        if self._opening:
            self._opening.cancel()
        if self._pages:
            self._pages.lost()
        if self._inner:
            self._inner.close()

    def pause_writing(self) -> None:
        self._paused = True
        if self._inner:
            self._inner.pause_reading()

    def resume_writing(self) -> None:
        self._paused = False
        if self._inner:
            self._inner.resume_reading()

    def send(self, data: bytes) -> None:
        """Sends what grpcio or a page says."""
        if self._transport.is_closing():
            return
        self._walk.feed(data)
        self._write(data)
        if self._leaving and self._walk.is_between_frames:
            self._leaving = False
            self._write(GOAWAY)

    def ask_to_leave(self) -> None:
        """Has the client finish its calls and connect anew; one that stays is cut off some time later."""
        if self._inner is None:
            self.close()
            return
        self._leaving = True
        self.send(b"")
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(_leave_within, self.close)

    def _write(self, data: bytes) -> None:
        if self._tls is None:
            self._transport.write(data)
            return
        try:
            self._tls.wrap(data)
            self._flush()
        except SSL.Error:
            self._transport.abort()

    def close(self) -> None:
        """Ends the connection when what was sent is out."""
        if self._tls and not self._transport.is_closing():
            self._tls.close()
            self._flush()
        self._transport.close()

    def pause(self, paused: bool) -> None:
        """Lets the network wait while grpcio does not take what comes."""
        with contextlib.suppress(RuntimeError):  # closing
            if paused:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def _flush(self) -> None:
        assert self._tls is not None
        data = self._tls.outgoing()
        if data:
            self._transport.write(data)

    def _take(self, data: bytes) -> None:
        if self._inner:
            self._inner.write(data)
        elif self._pages:
            self._pages.take(data)
        else:
            self._seen += data
            if not self._decided:
                self._decide()

    def _decide(self) -> None:
        length = min(len(self._seen), len(_PREFACE))
        is_http2 = self._seen[:length] == _PREFACE[:length]
        if is_http2 and length < len(_PREFACE):
            return
        self._decided = True
        self._stop_timer()
        if is_http2:
            self._transport.pause_reading()
            self._opening = asyncio.create_task(self._open())
            return
        self._pages = PageConnection(self._port.pages, self.send, self.close)
        seen, self._seen = self._seen, b""
        self._pages.take(seen)

    async def _open(self) -> None:
        try:
            self._inner = await self._port.open_inner(self, self._tls.peer() if self._tls else Silent())
        except OSError:
            self._transport.abort()
            return
        if self._paused:
            self._inner.pause_reading()
        seen, self._seen = self._seen, b""
        self._inner.write(seen)
        self.pause(False)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()


class _Inner(asyncio.Protocol):
    """The other half of a connection that is passed on: to grpcio's server."""

    def __init__(self, incoming: _Incoming, forget: Callable[[], None]) -> None:
        self._incoming = incoming
        self._forget = forget

    def data_received(self, data: bytes) -> None:
        self._incoming.send(data)

    def pause_writing(self) -> None:
        self._incoming.pause(True)

    def resume_writing(self) -> None:
        self._incoming.pause(False)

    def connection_lost(self, error: Exception | None) -> None:
        self._forget()
        self._incoming.close()


def trust_was_withdrawn(before: CredentialSet, now: CredentialSet) -> bool:
    """Whether a root of one bundle is not in the other any more."""
    marker = b"-----BEGIN "
    return any(marker + pem.strip() not in now.roots for pem in before.roots.split(marker)[1:])
