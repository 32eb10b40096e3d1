"""Connections below HTTP: destinations, proxies, sockets, TLS, and the transport that httpx uses."""
