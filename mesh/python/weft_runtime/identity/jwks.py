"""The issuer's public keys (RFC 7517), cached: read at most once in 30 s however many unknown key ids are shown."""

import asyncio
import http.client
import json
import ssl
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from cryptography import x509
from jwt import PyJWK
from jwt.exceptions import PyJWKError

from weft_runtime.identity.certificate_name import name_in_certificate
from weft_runtime.identity.credentials import Credentials
from weft_runtime.identity.spiffe_id import TrustDomain

_cooldown = 30.0
_max_age = 600.0
#: For how long more keys count that cannot be read again: new ones are published a day ahead.
_keys_count = 3_600.0
#: After keys could not be read they are left alone for this long: each token would ask again.
_pause_after_failure = 1.0
_timeout = 2.0
_max_body = 256 * 1024


class KeysUnavailable(Exception):
    """The keys could not be read."""


class Jwks:
    """Keys by id. ``read`` fetches the document, in a thread."""

    def __init__(self, read: Callable[[], bytes]) -> None:
        self._read = read
        self._keys: dict[str, PyJWK] = {}
        self._read_at = float("-inf")
        self._failed_at = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> PyJWK | None:
        """:raises KeysUnavailable: when they are not known and cannot be read now"""
        age = time.monotonic() - self._read_at
        known = self._keys.get(key_id)
        if age > _max_age or (known is None and age > _cooldown):
            # One reading for all who wait.
            self._reading = self._reading or asyncio.create_task(self._refresh())
            try:
                await asyncio.shield(self._reading)
            except KeysUnavailable:
                if known is None or age > _max_age + _keys_count:
                    raise
                return known
        return self._keys.get(key_id)

    async def _refresh(self) -> None:
        try:
            if time.monotonic() - self._failed_at < _pause_after_failure:
                raise KeysUnavailable("the keys could not be read a moment ago")
            document = await asyncio.wait_for(asyncio.to_thread(self._read), _timeout)
            keys = [key for key in json.loads(document)["keys"] if key.get("kty") == "OKP"]
            self._keys = {key["kid"]: PyJWK(key) for key in keys}
            self._read_at = time.monotonic()
        except KeysUnavailable:
            raise
        except (OSError, TimeoutError, http.client.HTTPException, PyJWKError) as error:
            self._failed_at = time.monotonic()
            raise KeysUnavailable(type(error).__name__) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self._failed_at = time.monotonic()
            raise KeysUnavailable("the document is no JWK set") from error
        finally:
            self._reading = None


def jwks_reader(
    url: str, service: str | None, credentials: Credentials | None, domain: TrustDomain
) -> Callable[[], bytes]:
    """
    Reads the document at ``url``. One that a service of the mesh has is read over TLS between workloads, from that
    service and nobody else: keys that came from somebody else would let him sign in as anybody.
    """

    def read() -> bytes:
        parts = urlsplit(url)
        context: ssl.SSLContext | None = None
        inside = service is not None and credentials is not None
        if inside:
            assert credentials is not None
            context = credentials.client_context()
        connection: http.client.HTTPConnection
        if inside or parts.scheme == "https":
            connection = http.client.HTTPSConnection(
                parts.hostname or "", parts.port, timeout=_timeout, context=context
            )
        else:
            connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_timeout)
        try:
            connection.connect()
            if inside:
                assert isinstance(connection.sock, ssl.SSLSocket)
                shown = connection.sock.getpeercert(binary_form=True) or b""
                name = name_in_certificate(x509.load_der_x509_certificate(shown), domain)
                if name != service:
                    raise OSError(f'the server is "{name}", not "{service}"')
            connection.request("GET", f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}")
            response = connection.getresponse()
            body = response.read(_max_body + 1)
            if response.status != 200 or len(body) > _max_body:
                raise OSError(f"HTTP {response.status}, {len(body)} bytes")
            return body
        finally:
            connection.close()

    return read
