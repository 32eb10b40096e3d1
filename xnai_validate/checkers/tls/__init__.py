"""Checks of TLS: the certificate a server shows, and whether it may be trusted."""
