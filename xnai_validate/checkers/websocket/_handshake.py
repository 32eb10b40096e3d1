"""The handshake of a WebSocket (RFC 6455 section 4): connect, ask for the protocol, judge the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from xnai_validate.checkers.websocket._connection import WebSocket
from xnai_validate.kit import ErrorKind, Unmeasurable
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.client import HttpClient
from xnai_validate.wire.http.connections.destination import without_userinfo
from xnai_validate.wire.http.head import head_of
from xnai_validate.wire.http.request import UNAUTHORIZED, HttpRequest, Prepared, prepare
from xnai_validate.wire.net.connection import Pipe, dial
from xnai_validate.wire.net.tls import client_context

if TYPE_CHECKING:
    from websockets.client import ClientProtocol
    from websockets.protocol import Event

HEADERS_CAP = 100
_ADDED = {b"authorization": "Authorization", b"traceparent": "traceparent"}
"""Headers that preparing a request adds and a handshake has too: the name there -> as it is sent."""


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
    request: HttpRequest, client: HttpClient, *, subprotocols: Sequence[str], max_message: int
) -> tuple[Handshake, WebSocket | None]:
    """Connect and shake hands; the WebSocket is null where the server refused.

    `request`: its url (http or https), headers, credentials, cookies and TLS settings are those of the handshake; with
    a session, one that gets status 401 is made once more after a new login. `client` keeps the cookies of the run.
    Bounded by the caller's time limit. Raises WireError; Unmeasurable where the extra is missing or the request is not
    one.
    """
    session = request.session
    if session is None:
        return await _open_once(request, client, subprotocols, max_message)
    credentials = await session.credentials()
    handshake, socket = await _open_once(request.with_credentials(credentials), client, subprotocols, max_message)
    if handshake.status != UNAUTHORIZED or (renewed := await session.renewed(credentials, request.name)) is None:
        return handshake, socket
    handshake, socket = await _open_once(request.with_credentials(renewed), client, subprotocols, max_message)
    if handshake.status == UNAUTHORIZED:
        session.still_refused(request.name)
    return handshake, socket


async def _open_once(
    request: HttpRequest, client: HttpClient, subprotocols: Sequence[str], max_message: int
) -> tuple[Handshake, WebSocket | None]:
    """Make one handshake of `open_websocket`, with the cookies that the target keeps."""
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
    request = client.cookies.added_to(request)
    prepared = prepare(request)
    to, headers = prepared.to, _headers(request, prepared)
    if to.socket is not None:
        raise Unmeasurable("a WebSocket over a unix socket is not supported", hint="set a url with host and port")
    try:
        # Without user and password: releases of websockets differ in how they send them.
        uri = parse_uri(f"{'wss' if to.scheme == 'https' else 'ws'}://{to.netloc.decode()}{to.target.decode()}")
    except InvalidURI as error:
        raise Unmeasurable(f"{without_userinfo(request.url)!r} is not a WebSocket url: {error}") from error
    started = perf_counter()
    context = client_context(prepared.tls) if uri.secure else None
    dialled = await dial(to.host, to.port, context=context, server_name=prepared.tls.server_name)
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
    pairs = [(name.encode(), value.encode()) for name, value in response.headers.raw_items()]
    client.cookies.take(request, head_of(response.status_code, b"", b"HTTP/1.1", pairs))
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


def _headers(request: HttpRequest, prepared: Prepared) -> dict[str, str]:
    """The headers of the handshake: those of the request, its credentials and its trace context."""
    if prepared.digest is not None:
        raise Unmeasurable("a WebSocket handshake answers no Digest challenge", hint="use basic or bearer")
    headers = dict(request.headers)
    for name, value in prepared.headers:
        if name in _ADDED:
            headers[_ADDED[name]] = value.decode()
    return headers


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
