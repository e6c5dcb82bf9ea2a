"""
The part of the port that speaks TLS: version 1.3 only. It does not end the connection of a peer whose certificate is
missing or wrong: calls by it are refused one by one, with a status that says why, and with the method in the log.

OpenSSL by pyOpenSSL, because Python's own ssl ends such a handshake, and grpcio's asks for no certificate or ends it.
"""

import contextlib
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL, crypto

from weft_runtime.identity.certificate_name import NotIdentified, name_in_certificate
from weft_runtime.identity.credentials import Credentials, CredentialSet
from weft_runtime.identity.peer import Peer, Proved, Refused, Silent
from weft_runtime.identity.spiffe_id import TrustDomain

_chunk = 64 * 1024


class TlsGate:
    """Makes the server's end of TLS connections, with the newest certificate."""

    def __init__(self, credentials: Credentials) -> None:
        self._domain = credentials.domain
        self._context = _server_context(credentials.current)
        self._credentials = credentials
        credentials.on_renewal(self._renew)

    def open(self) -> "TlsEnd":
        """The end of a new connection."""
        return TlsEnd(SSL.Connection(self._context, None), self._domain)

    def _renew(self, _before: CredentialSet) -> None:
        # From the next handshake on; open connections have what they began with.
        self._context = _server_context(self._credentials.current)


class TlsEnd:
    """The server's end of one connection: bytes of the network in, bytes of the application out, and back."""

    def __init__(self, connection: SSL.Connection, domain: TrustDomain) -> None:
        self._connection = connection
        self._domain = domain
        connection.set_app_data([])  # problems of the peer's certificates
        connection.set_accept_state()
        self.is_open = False

    def feed(self, data: bytes) -> bytes:
        """
        Takes what came from the network. :returns: what it holds for the application

        :raises SSL.Error: when the peer does not keep to TLS
        """
        self._connection.bio_write(data)
        if not self.is_open:
            try:
                self._connection.do_handshake()
            except SSL.WantReadError:
                return b""
            self.is_open = True
        parts: list[bytes] = []
        try:
            while True:
                parts.append(self._connection.recv(_chunk))
        except (SSL.WantReadError, SSL.ZeroReturnError):
            return b"".join(parts)

    def wrap(self, data: bytes) -> None:
        """Takes what the application sends; ``outgoing`` has it then."""
        for start in range(0, len(data), _chunk):
            self._connection.sendall(data[start : start + _chunk])

    def outgoing(self) -> bytes:
        """What has to go to the network."""
        parts: list[bytes] = []
        try:
            while True:
                parts.append(self._connection.bio_read(_chunk))
        except SSL.WantReadError:
            return b"".join(parts)

    def close(self) -> None:
        """Says good-bye; ``outgoing`` has it then."""
        with contextlib.suppress(SSL.Error):  # the peer is gone already
            self._connection.shutdown()

    def peer(self) -> Peer:
        """Who is there, after the handshake."""
        certificate = self._connection.get_peer_certificate(as_cryptography=True)
        if certificate is None:
            return Silent()
        problems: list[str] = self._connection.get_app_data()
        if problems:
            return Refused(f"{problems[0]} ({_claimed(certificate)})")
        try:
            return Proved(name_in_certificate(certificate, self._domain), certificate.not_valid_after_utc)
        except NotIdentified as error:
            return Refused(str(error))


def _server_context(credentials: CredentialSet) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_3_VERSION)
    chain = x509.load_pem_x509_certificates(credentials.certificate)
    context.use_certificate(chain[0])
    for issuer in chain[1:]:
        context.add_extra_chain_cert(issuer)
    key = load_pem_private_key(credentials.key, None)
    assert isinstance(key, (ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey, rsa.RSAPrivateKey))
    context.use_privatekey(key)
    roots = context.get_cert_store()
    for root in x509.load_pem_x509_certificates(credentials.roots):
        assert roots is not None
        roots.add_cert(crypto.X509.from_cryptography(root))
    # A resumed session would bring back a certificate that may have expired since.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_options(SSL.OP_NO_TICKET)
    context.set_verify(SSL.VERIFY_PEER, _note_problem)
    context.set_alpn_select_callback(_choose_protocol)
    return context


def _note_problem(connection: SSL.Connection, _: crypto.X509, number: int, depth: int, valid: int) -> bool:
    if not valid:
        connection.get_app_data().append(f"OpenSSL's problem {number} at depth {depth}")
    return True


def _choose_protocol(_: SSL.Connection, offered: list[bytes]) -> Any:
    for protocol in (b"h2", b"http/1.1"):
        if protocol in offered:
            return protocol
    return SSL.NO_OVERLAPPING_PROTOCOLS


def _claimed(certificate: x509.Certificate) -> str:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return ", ".join(names.get_values_for_type(x509.UniformResourceIdentifier))[:200]
    except (x509.ExtensionNotFound, ValueError):
        return "no alternative names"
