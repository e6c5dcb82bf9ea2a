"""Certificates of workloads for tests, as the local runner makes them."""

import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

HOUR = datetime.timedelta(hours=1)


class Authority:
    """Signs certificates. ``roots``: its own, in PEM."""

    def __init__(self, name: str = "test") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        own = _builder(self._name, self._name, self._key, 24 * HOUR).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self.roots = own.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def issue(self, name: str, life: datetime.timedelta = 24 * HOUR) -> tuple[bytes, bytes]:
        """Certificate and key of the workload ``name``, in PEM. "localhost" is for clients that want a DNS name."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = [
            x509.UniformResourceIdentifier(f"spiffe://weft.local/ns/default/sa/{name}"),
            x509.DNSName("localhost"),
        ]
        certificate = (
            _builder(x509.Name([]), self._name, key, life)
            .add_extension(x509.SubjectAlternativeName(names), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        return (
            certificate.public_bytes(Encoding.PEM),
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        )

    def write(self, folder: Path, name: str, life: datetime.timedelta = 24 * HOUR) -> tuple[str, str, str]:
        """Files with certificate, key and roots."""
        files = tuple(folder / file for file in ("certificate.pem", "key.pem", "roots.pem"))
        for file, text in zip(files, (*self.issue(name, life), self.roots), strict=True):
            file.write_bytes(text)
        return str(files[0]), str(files[1]), str(files[2])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, life: datetime.timedelta
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 48 * HOUR)
        .not_valid_after(now + life)
    )
