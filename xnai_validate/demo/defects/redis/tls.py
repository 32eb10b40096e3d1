"""Certificates of Redis that no client should accept, and a TLS port that takes plain text (layout B)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.processes.certificates import LIFETIME, server_names, signing_key, validity
from xnai_validate.demo.services.tls import is_accepted

EXPIRED = Defect(
    "tls-expired",
    "The certificate of Redis has expired.",
    checks=("services/redis:certificate", "services/redis:ping"),
    layout="B",
).changes(validity, lambda times: (times[0] - LIFETIME, times[0] - timedelta(days=1)))

EXPIRES_SOON = Defect(
    "tls-expires-soon",
    "The certificate of Redis expires tomorrow.",
    checks=("services/redis:certificate",),
    layout="B",
).changes(validity, lambda times: (times[0], datetime.now(UTC) + timedelta(hours=30)))

WRONG_NAME = Defect(
    "tls-wrong-name",
    "The certificate of Redis was issued for another host.",
    checks=("services/redis:certificate", "services/redis:ping"),
    layout="B",
)


@WRONG_NAME.wraps(server_names)
def other_names(_: Callable[[], list[x509.GeneralName]], /) -> list[x509.GeneralName]:
    """Return the names in the certificate: only one of another host."""
    return [x509.DNSName("redis.old-host.internal")]


UNKNOWN_CA = Defect(
    "tls-unknown-ca",
    "The certificate of Redis is signed by an unknown CA.",
    checks=("services/redis:certificate", "services/redis:ping"),
    layout="B",
).changes(signing_key, lambda _: ec.generate_private_key(ec.SECP256R1()))

OPTIONAL = Defect(
    "tls-optional",
    "The TLS port of Redis takes plain text as well.",
    checks=("services/redis:tls-only",),
    layout="B",
).changes(is_accepted, lambda _: True)
