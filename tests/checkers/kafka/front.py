"""TLS and SASL in front of the brokers of librdkafka's cluster, which have neither: clients see the front alone.

Keys, versions and error codes of requests are those of Kafka's protocol guide; PLAIN is RFC 4616, SCRAM is RFC 5802.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ssl
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from tests.checkers.beside import beside, end

HANDSHAKE, API_VERSIONS, AUTHENTICATE = 17, 18, 36
UNSUPPORTED_MECHANISM, AUTHENTICATION_FAILED = 33, 58
HOST = b"127.0.0.1"
SALT, ITERATIONS = b"salt of tests", 4096
HASHES = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}


@dataclass(slots=True)
class Front:
    """What stands before each broker, and who has come in."""

    context: ssl.SSLContext | None = None
    user: str | None = None
    """Who must log in; None lets in everyone."""
    password: str = ""
    mechanisms: tuple[str, ...] = ("PLAIN", *HASHES)
    refusal: bytes | None = None
    """What a login that fails is answered with, instead of the error code of the protocol."""
    ports: dict[int, int] = field(default_factory=dict)
    """Port of a broker -> that of its front."""
    logins: list[str] = field(default_factory=list)
    """The mechanism of each login that succeeded."""

    @property
    def port(self) -> int:
        """The port of the first broker's front."""
        return next(iter(self.ports.values()))

    def renumber(self, response: bytes) -> bytes:
        """Replace the ports of brokers in a response: there they follow the host, as four bytes."""
        for broker, own in self.ports.items():
            response = response.replace(HOST + struct.pack(">i", broker), HOST + struct.pack(">i", own))
        return response


class Session:
    """The login on one connection."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._mechanism = ""
        self._exchange = b""
        """What SCRAM has exchanged so far: the signed text."""
        self.open = front.user is None

    def shake_hands(self, request: bytes) -> bytes:
        """Return the body of the response to SaslHandshake."""
        self._mechanism = request[2:].decode()
        names = [struct.pack(">h", len(name)) + name.encode() for name in self._front.mechanisms]
        error = 0 if self._mechanism in self._front.mechanisms else UNSUPPORTED_MECHANISM
        return struct.pack(">hi", error, len(names)) + b"".join(names)

    def authenticate(self, version: int, request: bytes) -> bytes:
        """Return the body of the response to SaslAuthenticate."""
        message = request[4:]
        answer = self._plain(message) if self._mechanism == "PLAIN" else self._scram(message)
        answer = self._front.refusal if answer is None else answer
        error, text = (0, b"") if answer is not None else (AUTHENTICATION_FAILED, b"Authentication failed")
        answer = answer or b""
        body = struct.pack(">hh", error, len(text)) + text + struct.pack(">i", len(answer)) + answer
        return body + (struct.pack(">q", 0) if version else b"")

    def _let_in(self) -> None:
        self.open = True
        self._front.logins.append(self._mechanism)

    def _plain(self, message: bytes) -> bytes | None:
        _, user, password = message.decode().split("\0")
        if (user, password) != (self._front.user, self._front.password):
            return None
        self._let_in()
        return b""

    def _scram(self, message: bytes) -> bytes | None:
        name = HASHES[self._mechanism]
        if not self._exchange:
            bare = message.removeprefix(b"n,,")
            nonce = bare.partition(b",r=")[2] + b"ours"
            first = b"r=%b,s=%b,i=%d" % (nonce, base64.b64encode(SALT), ITERATIONS)
            self._exchange = bare + b"," + first
            return first
        final, _, proof = message.rpartition(b",p=")
        signed = self._exchange + b"," + final
        salted = hashlib.pbkdf2_hmac(name, self._front.password.encode(), SALT, ITERATIONS)
        client_key = hmac.digest(salted, b"Client Key", name)
        signature = hmac.digest(hashlib.new(name, client_key).digest(), signed, name)
        expected = bytes(left ^ right for left, right in zip(client_key, signature, strict=True))
        user = (
            self._exchange.partition(b",")[0].removeprefix(b"n=").replace(b"=2C", b",").replace(b"=3D", b"=").decode()
        )
        if user != self._front.user or not hmac.compare_digest(expected, base64.b64decode(proof)):
            return None
        self._let_in()
        server_key = hmac.digest(salted, b"Server Key", name)
        return b"v=" + base64.b64encode(hmac.digest(server_key, signed, name))


async def _read_frame(reader: asyncio.StreamReader) -> bytes:
    return await reader.readexactly(int.from_bytes(await reader.readexactly(4)))


def _send(writer: asyncio.StreamWriter, frame: bytes) -> None:
    writer.write(struct.pack(">i", len(frame)) + frame)


async def _talk(front: Front, broker: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one connection: answer what is about the login, pass on all other requests once it has succeeded."""
    session = Session(front)
    broker_reader, broker_writer = await asyncio.open_connection(HOST.decode(), broker)
    try:
        while True:
            request = await _read_frame(reader)
            key, version, _, name_size = struct.unpack(">hhih", request[:10])
            body = request[10 + max(name_size, 0) :]
            if key in (HANDSHAKE, AUTHENTICATE):
                answer = session.shake_hands(body) if key == HANDSHAKE else session.authenticate(version, body)
                _send(writer, request[4:8] + answer)
                continue
            if key != API_VERSIONS and not session.open:
                return  # as a broker does
            _send(broker_writer, request)
            response = await _read_frame(broker_reader)
            if key == API_VERSIONS and version == 0:
                (count,) = struct.unpack(">i", response[6:10])
                more = struct.pack(">hhhhhh", HANDSHAKE, 0, 1, AUTHENTICATE, 0, 1)
                response = response[:6] + struct.pack(">i", count + 2) + response[10:] + more
            _send(writer, front.renumber(response))
    finally:
        broker_writer.close()


@contextmanager
def in_front_of(brokers: list[int], front: Front) -> Iterator[Front]:
    """Open a front for each broker, until the end of the block."""
    tasks: set[asyncio.Task[None]] = set()

    async def open_one(broker: int) -> asyncio.Server:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await _talk(front, broker, reader, writer)
            except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass
            finally:
                tasks.discard(task)
                writer.close()

        server = await asyncio.start_server(handle, HOST.decode(), 0, ssl=front.context)
        front.ports[broker] = server.sockets[0].getsockname()[1]
        return server

    @asynccontextmanager
    async def serving() -> AsyncIterator[Front]:
        async with AsyncExitStack() as closing:
            for broker in brokers:
                closing.push_async_callback(end, await open_one(broker), tasks)
            yield front

    with beside(serving) as running:
        yield running
