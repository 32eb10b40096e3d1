"""A connection to a broker that speaks AMQP 0-9-1: its handshake, and one answer for each method that is sent."""

from __future__ import annotations

from time import perf_counter
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import unquote, urlsplit

from pamqp import commands, exceptions, frame
from pamqp.base import Frame
from pamqp.common import FieldValue
from pamqp.header import ProtocolHeader
from pamqp.heartbeat import Heartbeat

from xnai_validate.checkers.amqp._models import QueueFacts
from xnai_validate.kit import ErrorKind, Target
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.net.connection import Pipe, dial
from xnai_validate.wire.net.tls import client_context

FRAME_CAP = 131_072
"""Bytes of a frame: what RabbitMQ proposes, and as much as is read of any broker."""
PORT, TLS_PORT = 5672, 5671
# The reply codes of AMQP 0-9-1, 1.2.
ACCESS_REFUSED = 403
NOT_FOUND = 404
RESOURCE_LOCKED = 405
"""The queue is exclusive to another connection."""
_HEADER_BYTES = 7
_CAPABILITIES: dict[str, FieldValue] = {"authentication_failure_close": True}

Reply = TypeVar("Reply", bound=Frame)


class Refused(Exception):
    """The broker closed the connection or the channel, with a reply code (AMQP 0-9-1, 1.2) and its text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text[:500]


class Broker:
    """An open connection with one channel."""

    def __init__(self, pipe: Pipe, connect_ms: float) -> None:
        self._pipe = pipe
        self._read = b""
        self.connect_ms = connect_ms
        self.product: str | None = None
        self.version: str | None = None
        self.login_ms: float | None = None
        """The handshake of AMQP: the user is let in to the virtual host."""

    @classmethod
    async def connect(cls, target: Target) -> Broker:
        """Connect, log in and open a channel. Raises WireError; Refused for a virtual host that is not there."""
        parts = urlsplit(target.url or "")
        over_tls = parts.scheme == "amqps"
        context = client_context(target.tls) if over_tls else None
        port = parts.port or (TLS_PORT if over_tls else PORT)
        dialled = await dial(parts.hostname or "", port, context=context, server_name=target.tls.server_name)
        broker = cls(dialled.pipe, dialled.connect_ms)
        try:
            await broker._log_in(*_user_and_password(target), unquote(parts.path.removeprefix("/")) or "/")
        except BaseException:
            dialled.pipe.abort()
            raise
        return broker

    async def _log_in(self, user: str, password: str, virtual_host: str) -> None:
        """Make the handshake (AMQP 0-9-1, 2.2.4), with the mechanism PLAIN (RFC 4616)."""
        started = perf_counter()
        self._pipe.write(ProtocolHeader(0, 9, 1).marshal())
        start = await self._reply(commands.Connection.Start)
        properties = start.server_properties or {}
        self.product, self.version = (_bounded_text(properties.get(key)) for key in ("product", "version"))
        if "PLAIN" not in str(start.mechanisms).split():
            raise WireError(ErrorKind.AUTH, f"the broker offers {start.mechanisms}, and not PLAIN")
        response = f"\0{user}\0{password}"
        client: dict[str, FieldValue] = {"product": "xnai-validate", "capabilities": _CAPABILITIES}
        self._send_method(commands.Connection.StartOk(client, "PLAIN", response, "en_US"), 0)
        try:
            tune = await self._reply(commands.Connection.Tune)
        except Refused as refusal:
            if refusal.code == ACCESS_REFUSED:
                raise WireError(ErrorKind.AUTH, f"the broker refuses the user or the password: {refusal}") from None
            raise
        self._send_method(
            commands.Connection.TuneOk(tune.channel_max, min(tune.frame_max or FRAME_CAP, FRAME_CAP), 0), 0
        )
        self._send_method(commands.Connection.Open(virtual_host), 0)
        await self._reply(commands.Connection.OpenOk)
        self._send_method(commands.Channel.Open(), 1)
        await self._reply(commands.Channel.OpenOk)
        self.login_ms = (perf_counter() - started) * 1000

    async def call(self, method: Frame, reply: type[Reply]) -> Reply:
        """Send a method on the channel and return its reply. Raises Refused and WireError."""
        self._send_method(method, 1)
        return await self._reply(reply)

    def _send_method(self, method: Frame, channel: int) -> None:
        """Send a method on a channel."""
        self._pipe.write(frame.marshal(method, channel))

    async def _reply(self, expected: type[Reply]) -> Reply:
        """The next method, heartbeats left out."""
        while True:
            received = await self._read_frame()
            if isinstance(received, expected):
                return received
            if isinstance(received, commands.Connection.Close | commands.Channel.Close):
                raise Refused(received.reply_code or 0, str(received.reply_text))
            if not isinstance(received, Heartbeat):
                raise WireError(ErrorKind.PROTOCOL, f"expected {expected.name}, got {type(received).__name__}")

    async def _read_frame(self) -> object:
        """Read the next frame. Raises WireError if it is not AMQP, too large, or the connection ends."""
        while True:
            if self._read[:4] == b"AMQP":
                other = ".".join(str(number) for number in self._read[5:8])
                raise WireError(ErrorKind.PROTOCOL, f"the server speaks another version of AMQP: {other or 'unknown'}")
            if len(self._read) >= _HEADER_BYTES:
                if self._read[0] not in (1, 2, 3, 8):
                    raise WireError(ErrorKind.PROTOCOL, f"the server speaks no AMQP: it sent {self._read[:20]!r}")
                size = int.from_bytes(self._read[3:7], "big")
                if size > FRAME_CAP:
                    raise WireError(ErrorKind.TOO_LARGE, f"a frame of {size} bytes is larger than {FRAME_CAP}")
                end = _HEADER_BYTES + size + 1
                if len(self._read) >= end:
                    whole, self._read = self._read[:end], self._read[end:]
                    return _unmarshal(whole)
            piece = await self._pipe.read()
            if not piece:
                raise WireError(ErrorKind.RESET, "the broker closed the connection without an answer")
            self._read += piece

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        """End the connection as a client should, without waiting for the broker."""
        self._send_method(commands.Connection.Close(200, "done", 0, 0), 0)
        await self._pipe.aclose()


async def declared(target: Target, queue: str) -> QueueFacts:
    """What a broker answers to the passive declaration of a queue. Raises WireError where no answer comes."""
    try:
        broker = await Broker.connect(target)
    except Refused as refusal:
        return QueueFacts(broker_error=refusal.text, broker_code=refusal.code)
    facts = QueueFacts(
        connect_ms=broker.connect_ms,
        login_ms=broker.login_ms,
        product=broker.product,
        product_version=broker.version,
    )
    async with broker:
        try:
            reply = await broker.call(commands.Queue.Declare(0, queue, passive=True), commands.Queue.DeclareOk)
        except Refused as refusal:
            exists = {NOT_FOUND: False, RESOURCE_LOCKED: True}.get(refusal.code)
            return facts.model_copy(
                update={"exists": exists, "broker_error": refusal.text, "broker_code": refusal.code}
            )
    return facts.model_copy(update={"exists": True, "messages": reply.message_count, "consumers": reply.consumer_count})


def _user_and_password(target: Target) -> tuple[str, str]:
    """Return user and password; a url without a user stands for guest (RabbitMQ, URI Specification)."""
    parts = urlsplit(target.url or "")
    user = unquote(parts.username) if parts.username else "guest"
    given = target.password or (unquote(parts.password) if parts.password else "")
    return user, given or ("guest" if user == "guest" else "")


def _unmarshal(data: bytes) -> object:
    """Decode a frame. Raises WireError."""
    try:
        return frame.unmarshal(data)[2]
    except (exceptions.PAMQPException, ValueError, LookupError, ArithmeticError, TypeError) as error:
        raise WireError(ErrorKind.PROTOCOL, f"a frame cannot be read: {type(error).__name__}: {error}") from None


def _bounded_text(value: object) -> str | None:
    """Return the first 200 characters of a text; None for anything else."""
    return value[:200] if isinstance(value, str) else None
