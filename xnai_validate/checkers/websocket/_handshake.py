"""The handshake of a WebSocket (RFC 6455 section 4): connect, ask for the protocol, judge the answer."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from xnai_validate.checkers.websocket._connection import WebSocket
from xnai_validate.kit import ErrorKind, Unmeasurable
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.net.connection import Pipe, dial

if TYPE_CHECKING:
    from websockets.client import ClientProtocol
    from websockets.protocol import Event

HEADERS_CAP = 100


@dataclass(frozen=True, slots=True)
class Handshake:
    """What the server answered to the request for a WebSocket."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""
    subprotocol: str | None
    elapsed_ms: float
    """From the beginning, connecting included."""
    refusal: str | None
    """Why there is no WebSocket, where the answer is not a right 101."""


async def open_websocket(
    url: str,
    *,
    headers: Mapping[str, str],
    subprotocols: Sequence[str],
    context: ssl.SSLContext | None,
    server_name: str | None,
    max_message: int,
) -> tuple[Handshake, WebSocket | None]:
    """Connect and shake hands; the WebSocket is null where the server refused.

    `url`: ws or wss; `context` is needed for wss. Bounded by the caller's time limit. Raises WireError; Unmeasurable
    where the extra is missing or the request is not one.
    """
    try:
        from websockets.client import ClientProtocol
        from websockets.exceptions import InvalidURI
        from websockets.http11 import Response
        from websockets.typing import Subprotocol
        from websockets.uri import parse_uri
    except ImportError as error:
        raise Unmeasurable(
            "WebSocket checks need the package websockets", hint="pip install 'xnai-validate[websocket]'"
        ) from error
    try:
        uri = parse_uri(url)
    except InvalidURI as error:
        raise Unmeasurable(f"{url!r} is not a WebSocket url: {error}") from error
    started = perf_counter()
    dialled = await dial(uri.host, uri.port, context=context if uri.secure else None, server_name=server_name)
    pipe = dialled.pipe
    try:
        protocol = ClientProtocol(
            uri, subprotocols=[Subprotocol(name) for name in subprotocols] or None, max_size=max_message
        )
        response, *rest = await _shake_hands(protocol, pipe, headers)
    except BaseException:
        pipe.abort()
        raise
    elapsed_ms = (perf_counter() - started) * 1000
    refusal = protocol.handshake_exc
    if not isinstance(response, Response):
        raise WireError(ErrorKind.PROTOCOL, "not HTTP as a WebSocket requires")
    answered = {name.lower(): value for name, value in list(response.headers.raw_items())[:HEADERS_CAP]}
    handshake = Handshake(
        response.status_code,
        answered,
        protocol.subprotocol,
        elapsed_ms,
        None if refusal is None else str(refusal)[:300],
    )
    if refusal is not None:
        pipe.abort()
        return handshake, None
    return handshake, WebSocket(protocol, pipe, rest)


async def _shake_hands(protocol: ClientProtocol, pipe: Pipe, headers: Mapping[str, str]) -> list[Event]:
    """The events of the read that ended the handshake: the response, and what came along with it."""

    request = protocol.connect()
    for name, value in headers.items():
        if name in request.headers:
            del request.headers[name]
        request.headers[name] = value
    protocol.send_request(request)
    for data in protocol.data_to_send():
        pipe.write(data)
    while True:
        data = await pipe.read()
        if data:
            protocol.receive_data(data)
        else:
            protocol.receive_eof()
        events = protocol.events_received()
        if events:
            return events
        if protocol.handshake_exc is not None and data:
            raise WireError(ErrorKind.PROTOCOL, f"not HTTP as a WebSocket requires: {protocol.handshake_exc}")
        if not data:
            raise WireError(ErrorKind.RESET, "the connection was closed during the WebSocket handshake")
