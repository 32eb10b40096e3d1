"""Certificates for tests: an authority, and servers' certificates that it signs."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Authority:
    """A private authority; `ca` is its certificate's file."""

    key: ec.EllipticCurvePrivateKey
    subject: x509.Name
    folder: Path

    @property
    def ca(self) -> str:
        return str(self.folder / "ca.pem")

    def server(self, *names: str, days: float = 30.0, self_signed: bool = False) -> ssl.SSLContext:
        """The context of a server whose certificate is for `names` and ends in `days` from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name("a server")
        signer, issuer = (key, subject) if self_signed else (self.key, self.subject)
        end = datetime.now(UTC) + timedelta(days=days)
        builder = _builder(subject, issuer, key, end - timedelta(days=60), end)
        general = [_general(name) for name in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(general), critical=False) if general else builder
        certificate = builder.sign(signer, hashes.SHA256())
        path = self.folder / "server.pem"
        path.write_bytes(_pem(certificate) + _private(key))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def authority(folder: Path) -> Authority:
    """A new authority, its certificate written to `folder`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name("a test authority")
    now = datetime.now(UTC)
    builder = _builder(subject, subject, key, now - timedelta(days=1), now + timedelta(days=90))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    made = Authority(key, subject, folder)
    Path(made.ca).write_bytes(_pem(builder.sign(key, hashes.SHA256())))
    return made


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
