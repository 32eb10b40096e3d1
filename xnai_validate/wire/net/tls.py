"""TLS contexts of targets; one costs 10 to 20 ms to make, so each is made once."""

from __future__ import annotations

import ssl
import stat
from functools import lru_cache
from pathlib import Path

from xnai_validate.errors import Unmeasurable
from xnai_validate.model.target import Tls

FILE_CAP = 4 * 2**20
"""Bytes of a file in PEM; the authorities of a whole machine have some 220 000."""


class _PassphraseNeeded(Exception):
    """The client key is encrypted, and no pass phrase is known."""


@lru_cache(maxsize=32)
def client_context(tls: Tls, *, http2: bool = False, strict: bool = False) -> ssl.SSLContext:
    """The context to reach a server with these settings: its authority or the machine's own, our certificate if any.

    Every Python gives the same verdict on a certificate: from 3.13 on, its default context asks for more than RFC 5280
    requires of a verifier (VERIFY_X509_STRICT), which others do with `strict` only, and trusts an authority that is not
    self-signed, as curl and Go do.

    httpcore sets the protocols of ALPN on the context it is given, so one with HTTP/2 is another. Raises Unmeasurable
    where a file cannot be used: then nothing can be known about the server.
    """
    if tls.ca:
        _check_file("the certificate authority", tls.ca)
    try:
        context = ssl.create_default_context(cafile=tls.ca)
    except OSError as error:
        raise _unusable_file("the certificate authority", tls.ca, _describe_error(error)) from error
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if strict:
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    else:
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.cert:
        _load_client_certificate(context, tls, tls.cert)
    return context


def _load_client_certificate(context: ssl.SSLContext, tls: Tls, cert: str) -> None:
    """Load the client certificate and its key. Raises Unmeasurable."""
    _check_file("the client certificate", cert)
    if tls.key:
        _check_file("the client key", tls.key)
    key = tls.key or cert

    def passphrase() -> str:
        """Return the pass phrase of the key. Raises _PassphraseNeeded without one, so that OpenSSL does not prompt."""
        # Without a callback OpenSSL would ask on the terminal, and the whole run would wait for it.
        if tls.key_password is None:
            raise _PassphraseNeeded
        return tls.key_password

    try:
        context.load_cert_chain(cert, tls.key, password=passphrase)
    except _PassphraseNeeded:
        raise Unmeasurable(
            f"the client key {key} is encrypted", hint="name the variable with its pass phrase: `tls.key_password_env`"
        ) from None
    except ssl.SSLError as error:
        if tls.key_password is not None and "key values mismatch" not in _describe_error(error):
            raise _unusable_file(
                "the client key", key, f"{_describe_error(error)} (is its pass phrase right?)"
            ) from error
        raise _unusable_file("the client certificate", cert, _describe_error(error)) from error
    except OSError as error:
        raise _unusable_file("the client certificate", cert, _describe_error(error)) from error


def _check_file(what: str, path: str) -> None:
    """Raise Unmeasurable for what is not a regular file: reading a pipe or a device might never end."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError) as error:
        raise _unusable_file(what, path, _describe_error(error)) from error
    if not stat.S_ISREG(status.st_mode):
        raise _unusable_file(what, path, "it is not a regular file")
    if status.st_size > FILE_CAP:
        raise _unusable_file(what, path, f"it has more than {FILE_CAP} bytes")


def _describe_error(error: Exception) -> str:
    """Describe an error of TLS or of a file."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).replace("_", " ").lower()
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _unusable_file(what: str, path: str | None, why: str) -> Unmeasurable:
    """Return the error for a file that cannot be used."""
    return Unmeasurable(f"{what} {path} cannot be used: {why}", hint="see `tls` of the target")
