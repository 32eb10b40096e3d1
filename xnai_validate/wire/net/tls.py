"""TLS contexts of targets; one costs 10 to 20 ms to make, so each is made once."""

from __future__ import annotations

import ssl
from functools import lru_cache

from xnai_validate.errors import Unmeasurable
from xnai_validate.model.target import Tls


@lru_cache(maxsize=32)
def client_context(tls: Tls, *, http2: bool = False) -> ssl.SSLContext:
    """The context to reach a server with these settings: its authority or the machine's own, our certificate if any.

    httpcore sets the protocols of ALPN on the context it is given, so one with HTTP/2 is another. Raises Unmeasurable
    where a file cannot be read: then nothing can be known about the server.
    """
    try:
        context = ssl.create_default_context(cafile=tls.ca)
    except OSError as error:
        raise _unreadable("the certificate authority", tls.ca, error) from error
    # On by default from Python 3.13; other clients and older Pythons accept an authority without key identifiers.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.cert:
        try:
            context.load_cert_chain(tls.cert, tls.key)
        except OSError as error:
            raise _unreadable("the client certificate", tls.cert, error) from error
    return context


def _unreadable(what: str, path: str | None, error: OSError) -> Unmeasurable:
    return Unmeasurable(
        f"{what} {path} cannot be used: {error.strerror or error}", hint="see `tls` of the target in the profile"
    )
