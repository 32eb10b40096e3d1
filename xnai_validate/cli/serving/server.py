"""The HTTP server of `serve`: uvicorn in a thread, so that it answers while checks run.

uvicorn with Starlette, of which the embedded stack is made too, is the extra `serve`: it does TLS, connections and
HTTP, so that the project has no server of its own.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import uvicorn

from xnai_validate.cli.serving.application import application
from xnai_validate.cli.serving.latest_run import LatestRun
from xnai_validate.cli.serving.options import Address, ServeOptions
from xnai_validate.errors import ConfigError

CONNECTIONS = 64
"""Connections at a time; further ones get status 503."""
IDLE_S = 10
END_S = 5.0
"""Seconds that requests have to end when the command ends."""


@contextmanager
def running_server(options: ServeOptions, latest: LatestRun, token: str | None) -> Iterator[str]:
    """Serve `latest` until the end of the block; yield the url. Raises ConfigError if it cannot listen."""
    address = options.address
    listening = _listen(address)
    config = uvicorn.Config(
        application(latest, token, address.host),
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=int(END_S),
        ssl_certfile=None if options.tls_cert is None else str(options.tls_cert),
        ssl_keyfile=None if options.tls_key is None else str(options.tls_key),
    )
    with listening:
        try:
            config.load()
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(f"--tls-cert and --tls-key cannot be used: {error.strerror or error}") from None
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listening]}, name="server", daemon=True)
        thread.start()
        try:
            host = f"[{address.host}]" if ":" in address.host else address.host
            scheme = "http" if options.tls_cert is None else "https"
            yield f"{scheme}://{host}:{listening.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join(END_S + 1)


def _listen(address: Address) -> socket.socket:
    """Open the listening socket. Raises ConfigError if the address is not available."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(place)
            listening.listen()  # from here on a client is not refused; it waits until the thread has started
        except OSError:
            listening.close()
            raise
    except OSError as error:
        raise ConfigError(
            f"the server cannot listen on {address.host}:{address.port}: {error.strerror or error}",
            hint="choose another address: --listen HOST:PORT",
        ) from None
    return listening
