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
    identifiers: bool = False
    """Whether its certificates have key identifiers (RFC 5280 section 4.2.1.1), which strict verifiers ask for."""

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
        if self.identifiers:
            builder = _identified(builder, key, signer)
        certificate = builder.sign(signer, hashes.SHA256())
        path = self.folder / "server.pem"
        path.write_bytes(_pem(certificate) + _private(key))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def client(self, password: bytes) -> None:
        """Write a client certificate `client.pem`, its key `client.key`, and the key encrypted, `locked.key`."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        builder = _builder(_name("a client"), self.subject, key, now - timedelta(days=1), now + timedelta(days=9))
        (self.folder / "client.pem").write_bytes(_pem(builder.sign(self.key, hashes.SHA256())))
        (self.folder / "client.key").write_bytes(_private(key))
        (self.folder / "locked.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(password),
            )
        )
        (self.folder / "other.key").write_bytes(_private(ec.generate_private_key(ec.SECP256R1())))


def authority(folder: Path, *, identifiers: bool = False) -> Authority:
    """A new authority, its certificate written to `folder`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name("a test authority")
    made = Authority(key, subject, folder, identifiers)
    Path(made.ca).write_bytes(_pem(_authority_certificate(made, subject, key)))
    return made


def intermediate(folder: Path) -> Authority:
    """An authority that another one signed, its certificate written to `intermediate.pem` in `folder`."""
    root = authority(folder, identifiers=True)
    key = ec.generate_private_key(ec.SECP256R1())
    made = Authority(key, _name("an intermediate authority"), folder, identifiers=True)
    (folder / "intermediate.pem").write_bytes(_pem(_authority_certificate(made, root.subject, root.key)))
    return made


def _authority_certificate(made: Authority, issuer: x509.Name, signer: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    now = datetime.now(UTC)
    builder = _builder(made.subject, issuer, made.key, now - timedelta(days=1), now + timedelta(days=90))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    if made.identifiers:
        usage = dict.fromkeys(
            (
                "digital_signature",
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        builder = builder.add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
        builder = _identified(builder, made.key, signer)
    return builder.sign(signer, hashes.SHA256())


def _identified(
    builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    subject = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    return builder.add_extension(subject, critical=False).add_extension(issuer, critical=False)


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
