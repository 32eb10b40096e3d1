"""Reading an X.509 certificate (RFC 5280): its names, its key, who signed it."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING

from xnai_validate.wire.net.names import ascii_host, is_address

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


def names_of(certificate: Certificate) -> list[str]:
    """The DNS names and addresses among its subject alternative names."""
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    dns = names.get_values_for_type(x509.DNSName)
    return [*dns, *(str(address) for address in names.get_values_for_type(x509.IPAddress))]


def key_of(certificate: Certificate) -> tuple[str, int | None]:
    """The type of its key and the key's size in bits."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return "RSA", key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "EC", key.key_size
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "Ed25519", 256
    if isinstance(key, ed448.Ed448PublicKey):
        return "Ed448", 456
    return type(key).__name__.removesuffix("PublicKey").strip("_"), None


def is_self_signed(certificate: Certificate) -> bool:
    """Whether it names itself as issuer and its signature verifies with its own key."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    try:
        certificate.verify_directly_issued_by(certificate)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def covers(pattern: str, name: str) -> bool:
    """Whether a name of a certificate covers a host (RFC 9525 section 6.3): a wildcard is the whole left-most label.

    As in OpenSSL, at least two labels follow the wildcard: `*.stack` covers nothing.
    """
    pattern, name = _normalize_name(pattern), _normalize_name(name)
    if is_address(name) or not pattern.startswith("*."):
        return _same_address(pattern, name)
    first, _, rest = name.partition(".")
    return bool(first) and rest == pattern[2:] and "." in rest


def _normalize_name(name: str) -> str:
    """Return a name as names are compared: in ASCII and lower case, without a dot at its end."""
    wildcard = "*." if name.startswith("*.") else ""
    with suppress(ValueError):  # what is not a name is equal to itself alone
        name = wildcard + ascii_host(name.removeprefix(wildcard))
    return name.lower().rstrip(".")


def _same_address(pattern: str, name: str) -> bool:
    """Whether two names are the same address or text."""
    if ":" not in name:
        return pattern == name
    try:
        return ip_address(pattern) == ip_address(name)
    except ValueError:
        return False
