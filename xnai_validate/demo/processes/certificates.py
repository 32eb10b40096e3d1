"""The certificates of layout B, where Redis speaks TLS only: a private CA and a server certificate that it signs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from xnai_validate.demo.seams import seam
from xnai_validate.demo.settings import Settings

LIFETIME = timedelta(days=90)


@seam
def server_names() -> list[x509.GeneralName]:
    """The names that the server certificate is valid for."""
    return [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]


@seam
def validity() -> tuple[datetime, datetime]:
    """From when to when the server certificate is valid."""
    start = datetime.now(UTC) - timedelta(hours=1)
    return start, start + LIFETIME


@seam
def signing_key(ca_key: ec.EllipticCurvePrivateKey) -> ec.EllipticCurvePrivateKey:
    """The key that the server certificate is signed with: that of the CA."""
    return ca_key


def issue(settings: Settings) -> None:
    """Write `ca.pem` and `server.pem` (certificate and key) into the run directory."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("XNAi embedded stack CA", ca_key, ca_key, None)
    key = ec.generate_private_key(ec.SECP256R1())
    start, end = validity()
    server = _certificate("XNAi embedded stack Redis", key, signing_key(ca_key), ca.subject, server_names(), start, end)
    (settings.run_dir / "ca.pem").write_bytes(_pem(ca))
    private = settings.run_dir / "server.pem"
    private.touch(mode=0o600)
    private.write_bytes(
        _pem(server)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate in PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def _certificate(
    common_name: str,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    issuer: x509.Name | None,
    names: list[x509.GeneralName] | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> x509.Certificate:
    """One X.509 v3 certificate (RFC 5280): a CA without an `issuer`, else a server's for `names`."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    start = start or datetime.now(UTC) - timedelta(hours=1)
    is_ca = issuer is None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer or subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end or start + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=0 if is_ca else None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(_usage(is_ca), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
    return builder.sign(signer, hashes.SHA256())


def _usage(is_ca: bool) -> x509.KeyUsage:
    """Return the key usage of a CA, or of a server."""
    return x509.KeyUsage(
        digital_signature=not is_ca,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
