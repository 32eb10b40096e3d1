"""Checks of TLS: the certificate a server shows, and whether it may be trusted."""

from xnai_validate.checkers.tls.certificate import certificate

__all__ = ["certificate"]
