"""`tls.certificate`: the certificate a server shows, and whether it may be trusted."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Annotated

from xnai_validate.checkers.tls._x509 import covers, is_self_signed, key_of, names_of
from xnai_validate.kit import (
    Context,
    Count,
    Duration,
    ErrorKind,
    Facts,
    Ge,
    Le,
    Milliseconds,
    NotApplicable,
    Params,
    Tls,
    Unmeasurable,
    checker,
    field_validator,
)
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.net.connection import dial
from xnai_validate.wire.net.names import tls_name
from xnai_validate.wire.net.tls import client_context

NAMES_CAP = 100
TEXT_CAP = 300


class Handshake(Params):
    """Whom to ask for a certificate."""

    host: str | None = None
    """The host; by default that of the target's url."""
    port: Annotated[int, Ge(1), Le(65535)] | None = None
    """The port; by default that of the target's url."""
    server_name: str | None = None
    """The name to ask for and to verify the certificate for; by default `tls.server_name` of the target, else the
    host."""
    _name = field_validator("server_name")(lambda name: None if name is None else tls_name(name))

    timeout: Duration = 5.0
    """How long a handshake may take, connecting included."""


class Certificate(Facts):
    """The certificate, its trust, and the session."""

    error: ErrorKind | None
    """Why there is no certificate: refused, timeout, tls (the server does not speak it) ..."""
    error_detail: str | None
    """The error in words."""
    verified: bool | None
    """Whether it leads to the target's authority (`tls.ca`) or the machine's, is in date, and is for this name."""
    verify_error: str | None
    """Why it is not verified, in OpenSSL's words."""
    strict_error: str | None
    """Why a strict verifier would refuse what is verified here: `VERIFY_X509_STRICT` of OpenSSL, the default of Python
    from 3.13 on. Null where it would not, and where the certificate is not verified."""
    subject: str | None
    """The subject: `CN=redis.local`."""
    issuer: str | None
    """Who signed it."""
    names: list[str] | None
    """The names and addresses that it is for (subject alternative names)."""
    name_matches: bool | None
    """Whether one of them covers the name that was asked for (a wildcard stands for one whole label)."""
    self_signed: bool | None
    """Whether it is signed by its own subject and key."""
    not_before: str | None
    """From when it holds (ISO 8601, UTC)."""
    not_after: str | None
    """Until when it holds."""
    days_left: float | None
    """Days until then; negative afterwards."""
    protocol: str | None
    """The version of TLS: `TLSv1.3`."""
    cipher: str | None
    """The cipher suite."""
    key_type: str | None
    """`RSA`, `EC`, `Ed25519` ..."""
    key_bits: Count | None
    """The size of its key."""
    chain_length: Count | None
    """How many certificates the server sent; null where Python (before 3.13) does not expose it."""
    handshake_ms: Milliseconds | None
    """How long the TLS handshake took, connecting not included."""


@dataclass(frozen=True, slots=True)
class _Session:
    """What one handshake negotiated, and the certificate in DER."""

    der: bytes
    protocol: str | None
    cipher: str | None
    chain_length: int | None
    handshake_ms: float


@checker(
    "tls.certificate",
    expect={"error": None, "verified": True},
    extra="tls",
    preload=("cryptography.x509",),
    from_workers=True,
)
async def certificate(params: Handshake, ctx: Context) -> Certificate:
    """Shake hands by TLS, read the server's certificate and verify it.

    The certificate (X.509, RFC 5280) is read also where it does not verify: then by a second handshake that accepts
    anything. TLS begins at once, as https and rediss want it (no STARTTLS). `tls.verify: false` of the target is
    disregarded here: whether it verifies is what is measured.

        kind: tls.certificate
        target: redis
        expect: {verified: true, days_left: {min: 7}, protocol: {in: [TLSv1.2, TLSv1.3]}}
        warn: {days_left: {min: 30}}
    """
    if find_spec("cryptography") is None:
        raise Unmeasurable("tls.certificate needs another library", hint="pip install 'xnai-validate[tls]'")
    target = ctx.target
    host, port = params.host or target.host, params.port or target.port
    if not host or not port:
        raise NotApplicable(f"target {target.name} has no host and port to connect to")
    name = params.server_name or target.tls.server_name or host
    verifying = replace(target.tls, verify=True, server_name=name)
    try:
        session, verify_error = await _handshake_and_verify(host, port, verifying, params.timeout)
        strict_error = None if verify_error else await _strict_error(host, port, verifying, params.timeout)
    except WireError as failure:
        return _facts_of_failure(failure.kind, failure.detail)
    return _facts_of(session, verify_error, strict_error, name)


async def _handshake_and_verify(host: str, port: int, tls: Tls, timeout_s: float) -> tuple[_Session, str | None]:
    """Return a session, and why its certificate does not verify; None if it does."""
    try:
        return await _shake(host, port, tls, timeout_s), None
    except WireError as failure:
        cause = failure.__cause__
        if not isinstance(cause, ssl.SSLCertVerificationError):
            raise
        return await _shake(host, port, replace(tls, verify=False), timeout_s), cause.verify_message


async def _strict_error(host: str, port: int, tls: Tls, timeout_s: float) -> str | None:
    """Why a strict verifier refuses the certificate, by a handshake of its own; None where it does not."""
    try:
        await _shake(host, port, tls, timeout_s, strict=True)
    except WireError as failure:
        cause = failure.__cause__
        return cause.verify_message if isinstance(cause, ssl.SSLCertVerificationError) else None
    return None


async def _shake(host: str, port: int, tls: Tls, timeout_s: float, *, strict: bool = False) -> _Session:
    """Make one TLS handshake and return what was negotiated, with the certificate of the server. Raises WireError.

    With `strict`, the certificate must also fulfil what VERIFY_X509_STRICT asks beyond RFC 5280.
    """
    context = client_context(tls, strict=strict)
    try:
        async with asyncio.timeout(timeout_s):
            dialled = await dial(host, port, context=context, server_name=tls.server_name)
    except TimeoutError:
        raise WireError(ErrorKind.TIMEOUT, f"no TLS session with {host}:{port} within {timeout_s:g} s") from None
    try:
        session = dialled.ssl_object
        assert session is not None
        cipher = session.cipher()
        chain = getattr(session, "get_unverified_chain", None)
        return _Session(
            session.getpeercert(binary_form=True) or b"",
            session.version(),
            cipher[0] if cipher else None,
            len(chain()) if chain else None,
            dialled.tls_ms or 0.0,
        )
    finally:
        await dialled.pipe.aclose()


def _facts_of(session: _Session, verify_error: str | None, strict_error: str | None, name: str) -> Certificate:
    """Return the facts of a certificate and of its verification."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        found = x509.load_der_x509_certificate(session.der)
        names = names_of(found)
        key_type, key_bits = key_of(found)
    except (
        ValueError,
        UnsupportedAlgorithm,
        x509.DuplicateExtension,
        x509.InvalidVersion,
        x509.UnsupportedGeneralNameType,
    ) as error:
        return _facts_of_failure(ErrorKind.PROTOCOL, f"the certificate cannot be read: {error}"[:TEXT_CAP])
    return Certificate(
        error=None,
        error_detail=None,
        verified=verify_error is None,
        verify_error=verify_error,
        strict_error=strict_error,
        subject=found.subject.rfc4514_string()[:TEXT_CAP],
        issuer=found.issuer.rfc4514_string()[:TEXT_CAP],
        names=names[:NAMES_CAP],
        name_matches=any(covers(pattern, name) for pattern in names),
        self_signed=is_self_signed(found),
        not_before=found.not_valid_before_utc.isoformat().replace("+00:00", "Z"),
        not_after=found.not_valid_after_utc.isoformat().replace("+00:00", "Z"),
        days_left=(found.not_valid_after_utc - datetime.now(UTC)).total_seconds() / 86_400,
        protocol=session.protocol,
        cipher=session.cipher,
        key_type=key_type,
        key_bits=key_bits,
        chain_length=session.chain_length,
        handshake_ms=session.handshake_ms,
    )


def _facts_of_failure(kind: ErrorKind, detail: str) -> Certificate:
    """Return the facts of a certificate that could not be read."""
    nulls = dict.fromkeys(Certificate.model_fields)
    return Certificate.model_validate({**nulls, "error": kind, "error_detail": detail})
