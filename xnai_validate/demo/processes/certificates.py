"""The certificates of layout B, where Redis speaks TLS only: a private CA and a server certificate that it signs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from xnai_validate.demo.settings import Settings

LIFETIME = timedelta(days=90)


def issue(settings: Settings) -> None:
    """Write `ca.pem` and `server.pem` (certificate and key) into the run directory, as the stack's defects have it."""
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("XNAi embedded stack CA", ca_key, ca_key, None)
    signing_key = ec.generate_private_key(ec.SECP256R1()) if settings.broken("tls-unknown-ca") else ca_key
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]
    if settings.broken("tls-wrong-name"):
        names = [x509.DNSName("redis.old-host.internal")]
    start = datetime.now(UTC) - timedelta(hours=1)
    end = start + LIFETIME
    if settings.broken("tls-expired"):
        start, end = start - LIFETIME, start - timedelta(days=1)
    if settings.broken("tls-expires-soon"):
        end = datetime.now(UTC) + timedelta(hours=30)
    server = _certificate("XNAi embedded stack Redis", key, signing_key, ca.subject, names, start, end)
    (settings.run_dir / "ca.pem").write_bytes(_pem(ca))
    private = settings.run_dir / "server.pem"
    private.touch(mode=0o600)
    private.write_bytes(
        _pem(server)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _certificate(
    common_name: str,
    key: ec.EllipticCurvePrivateKey,
    signing_key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name | None,
    names: list[x509.GeneralName] | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> x509.Certificate:
    """One X.509 v3 certificate (RFC 5280): a CA where `issuer` is None, else a server's for `names`."""
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
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
        .add_extension(_usage(is_ca), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
    return builder.sign(signing_key, hashes.SHA256())


def _usage(is_ca: bool) -> x509.KeyUsage:
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
