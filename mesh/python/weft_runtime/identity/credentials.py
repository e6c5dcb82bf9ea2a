"""
The certificate of this workload, its key and the roots that others' certificates must lead to, from three files that
somebody else renews. They are looked at every few seconds.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from weft_runtime.background import in_background
from weft_runtime.config import Config
from weft_runtime.identity.certificate_name import NotIdentified, name_in_certificate
from weft_runtime.identity.spiffe_id import TrustDomain
from weft_runtime.telemetry.log import Log

#: Between two looks at the files, in seconds.
_look_every = 5.0
#: Renewal comes at half of a certificate's life; one with less than this left is overdue.
_late = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class CredentialSet:
    """What stands in the files: PEM, and what was read from it."""

    certificate: bytes
    key: bytes
    roots: bytes
    not_after: datetime


class Credentials:
    """
    Credentials that are renewed while the process runs.

    :raises OSError, NotIdentified, ValueError: when a file cannot be read, or the certificate is another's, expired,
        or not of this key
    """

    def __init__(self, name: str, domain: TrustDomain, files: tuple[str, str, str], log: Log) -> None:
        self.name = name
        self.domain = domain
        self._files = files
        self._log = log
        self._listeners: list[Callable[[CredentialSet], None]] = []
        self._reported = ""
        self._looking: asyncio.Task[None] | None = None
        #: The newest; another object after each renewal.
        self.current = self._check(self._read())

    def on_renewal(self, listener: Callable[[CredentialSet], None]) -> None:
        """Calls ``listener`` after each renewal, with what was before."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Keeps looking at the files."""
        self._looking = in_background(self._look())

    def stop(self) -> None:
        if self._looking:
            self._looking.cancel()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_look_every)
            self.reload()

    def reload(self) -> None:
        """Looks at the files now. Files that do not fit together, being written perhaps, change nothing."""
        try:
            texts = self._read()
            before = self.current
            if texts == (before.certificate, before.key, before.roots):
                if datetime.now(UTC) > before.not_after - _late:
                    raise NotIdentified("nobody has renewed it")
                return
            self.current = self._check(texts)
            self._reported = ""
            self._log.info("certificate renewed", notAfter=self.current.not_after.isoformat())
            for listener in self._listeners:
                listener(before)
        except (OSError, ValueError, NotIdentified) as error:
            problem = str(error)
            if problem != self._reported:
                self._log.warn(
                    "certificate not renewed", problem=problem, notAfter=self.current.not_after.isoformat()
                )
            self._reported = problem

    def client_context(self) -> ssl.SSLContext:
        """For connections to another workload. Who it is must be checked after the handshake: names count nothing."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False
        context.load_verify_locations(cadata=self.current.roots.decode("ascii"))
        context.load_cert_chain(self._files[0], self._files[1])
        return context

    def _read(self) -> tuple[bytes, bytes, bytes]:
        certificate, key, roots = (Path(file).read_bytes() for file in self._files)
        return certificate, key, roots

    def _check(self, texts: tuple[bytes, bytes, bytes]) -> CredentialSet:
        certificate, key, roots = texts
        own = x509.load_pem_x509_certificates(certificate)[0]
        found = name_in_certificate(own, self.domain)
        if found != self.name:
            raise NotIdentified(f'the certificate belongs to "{found}", not to "{self.name}"')
        form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        of_key = load_pem_private_key(key, None).public_key().public_bytes(*form)
        if own.public_key().public_bytes(*form) != of_key:
            raise NotIdentified("the certificate is for another key")
        x509.load_pem_x509_certificates(roots)
        if own.not_valid_after_utc <= datetime.now(UTC):
            raise NotIdentified(f"the certificate expired at {own.not_valid_after_utc.isoformat()}")
        return CredentialSet(certificate, key, roots, own.not_valid_after_utc)


def load_credentials(name: str, config: Config, log: Log) -> Credentials | None:
    """
    The certificate of the workload ``name``; None where a mesh has it in the process's place.

    :raises RuntimeError: when a file is missing or the certificate is not a valid one for ``name``
    """
    if config.mesh != "none":
        return None
    if not (config.certificate_file and config.key_file and config.trust_bundle_file):
        raise RuntimeError(
            "identity: WEFT_IDENTITY_CERT, WEFT_IDENTITY_KEY and WEFT_TRUST_BUNDLE are required"
        )
    files = (config.certificate_file, config.key_file, config.trust_bundle_file)
    try:
        return Credentials(name, TrustDomain(config.trust_domain, config.namespace), files, log)
    except (OSError, ValueError, NotIdentified) as error:
        raise RuntimeError(f"identity: {error}") from error
