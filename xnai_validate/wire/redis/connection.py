"""One connection to a Redis server: redis-py's, over a socket of ours that times its steps and bounds its replies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import hiredis
from redis.asyncio import Connection
from redis.exceptions import RedisError

from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.model.results.exchange import RECORDER
from xnai_validate.model.target import Tls
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.net.connection import Pipe, dial
from xnai_validate.wire.net.tls import client_context
from xnai_validate.wire.redis.bounds import REPLY_CAP, ReplyBounds
from xnai_validate.wire.redis.cluster import Node, masters, redirected
from xnai_validate.wire.redis.recording import RedisRecording
from xnai_validate.wire.redis.replies import Argument, RedisRefusal, Reply, text_of

REDIRECTS_CAP = 5
"""How often a cluster may send one command on; then the server's MOVED or ASK is the reply."""
NODES_CAP = 100
"""Masters of a cluster that are connected to, at most."""
_INCOMPLETE = object()
"""What the parser returns while a reply is not complete."""


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """Where a Redis server is and how to be admitted."""

    host: str
    port: int
    tls: Tls | None = None
    """The TLS settings; None for plain TCP."""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    db: int = 0


class RedisConnection(Connection):
    """One connection; one command at a time. A command that is cancelled or fails on the wire ends it.

    redis-py authenticates and selects the database; only documented methods of it are overridden, so that bytes go
    over `Pipe`: each step is timed, a look-up can be given up, hiredis never sees a reply that is too large, and errors
    keep the server's own words. RESP2; no HELLO, no CLIENT SETINFO, no retries and no time limits of its own. Where a
    node of a cluster answers MOVED or ASK, the command is sent to the node that it names.
    """

    def __init__(self, address: RedisAddress) -> None:
        super().__init__(
            host=address.host,
            port=address.port,
            username=address.username if address.password else None,
            password=address.password,
            db=address.db,
            protocol=2,
            driver_info=None,
        )
        self.address = address
        self.connect_ms = 0.0
        """How long connecting took: name look-up, TCP and TLS handshake."""
        self.used = False
        """Whether the connection was kept from an earlier use."""
        self._pipe: Pipe | None = None
        self._nodes: dict[Node, RedisConnection] = {}
        """Connections to other nodes of the cluster."""
        self._bounds = ReplyBounds()
        self._replies = hiredis.Reader(replyError=RedisRefusal, notEnoughData=_INCOMPLETE)

    @property
    def is_connected(self) -> bool:
        """Whether the connection was opened and not ended since."""
        return self._pipe is not None

    @property
    def usable(self) -> bool:
        """Whether the connection is open, as far as is known."""
        return self._pipe is not None and not self._pipe.transport.is_closing()

    @property
    def is_idle(self) -> bool:
        """Whether the connection is open and no bytes of a reply wait to be read."""
        return self._pipe is not None and self._pipe.usable and not self._replies.has_data()

    async def can_read(self) -> bool:
        """Whether something is left to read, or the connection is gone."""
        return not self.is_idle

    async def connect(self) -> None:
        """Open the socket, with TLS where the address asks for it, authenticate and select the database.

        Bounded by the caller's time limit. Raises WireError: `auth` if the server refuses the password, also
        because it has none.
        """
        tls = self.address.tls
        dialled = await dial(
            self.host,
            self.port,
            context=None if tls is None else client_context(tls),
            server_name=None if tls is None else tls.server_name,
        )
        self._pipe, self.connect_ms = dialled.pipe, dialled.connect_ms + (dialled.tls_ms or 0)
        try:
            await self.on_connect()
        except RedisRefusal as refusal:
            self.abort()
            if "auth" in refusal.detail.lower() or "password" in refusal.detail.lower():
                raise WireError(ErrorKind.AUTH, refusal.detail) from refusal
            raise
        except RedisError as error:  # redis-py's own: the reply was neither OK nor an error
            self.abort()
            raise WireError(ErrorKind.PROTOCOL, f"connecting to {self.host}:{self.port}: {error}") from error
        except BaseException:
            self.abort()
            raise

    async def command(self, *arguments: Argument) -> Reply:
        """Send one command and read its reply. Raises WireError; RedisRefusal where the reply is an error."""
        recording = RedisRecording(self.host, self.port, arguments, tls=self.address.tls is not None)
        RECORDER.get().append(recording)
        try:
            [reply] = await self.pipeline([arguments])
        except WireError as error:
            recording.failure = error.detail
            raise
        recording.ended(reply)
        if isinstance(reply, RedisRefusal):
            raise reply
        return reply

    async def pipeline(self, commands: Sequence[Sequence[Argument]]) -> list[Reply]:
        """Send commands together and read their replies; errors of single commands are values. Raises WireError."""
        replies = await self.exchange(commands)
        for _ in range(REDIRECTS_CAP):
            elsewhere = redirected(replies, self.host)
            if not elsewhere:
                break
            for (node, asking), numbers in elsewhere.items():
                again = await self._exchange_with(node, [commands[number] for number in numbers], asking=asking)
                for number, reply in zip(numbers, again, strict=True):
                    replies[number] = reply
        return replies

    async def exchange(self, commands: Sequence[Sequence[Argument]]) -> list[Reply]:
        """Send commands to this node and read their replies, MOVED and ASK among them. Raises WireError."""
        await self.send_packed_command([_pack(command) for command in commands])
        return [await self.receive() for _ in commands]

    async def _exchange_with(self, node: Node, commands: list[Sequence[Argument]], *, asking: bool) -> list[Reply]:
        """Send commands to another node of the cluster; `asking` while a slot is on its way there."""
        connection = await self._node(node)
        try:
            if not asking:
                return await connection.exchange(commands)
            return (await connection.exchange([each for command in commands for each in (("ASKING",), command)]))[1::2]
        except WireError as error:
            raise _error_at_node(node, error) from error

    async def masters(self) -> tuple[list[RedisConnection], bool]:
        """The connections that together see every key, and whether they do.

        Of a server by itself, this connection; of a cluster, one to each master. Raises WireError where a master cannot
        be reached.
        """
        info, slots = await self.exchange([("INFO", "cluster"), ("CLUSTER", "SLOTS")])
        if "cluster_enabled:1" not in text_of(info) and isinstance(slots, Exception):
            return [self], True
        nodes, complete = masters(slots, self.host)
        if not nodes:
            return [self], False
        return [await self._node(node) for node in nodes[:NODES_CAP]], complete and len(nodes) <= NODES_CAP

    async def _node(self, node: Node) -> RedisConnection:
        """The connection to another node of the cluster, opened if necessary. Raises WireError."""
        connection = self._nodes.get(node)
        if connection is None or not connection.is_idle:
            connection = RedisConnection(replace(self.address, host=node.host, port=node.port))
            try:
                await connection.connect()
            except WireError as error:
                raise _error_at_node(node, error) from error
            self._nodes[node] = connection
        return connection

    async def send_packed_command(self, command: bytes | str | Iterable[bytes], check_health: bool = True) -> None:
        """Send commands in their form on the wire. Raises WireError (`reset`) on a connection that has ended.

        If the server has closed, nothing is sent: what it wrote before it closed is still to be read.
        """
        if self._pipe is None:
            raise WireError(ErrorKind.RESET, "the connection is gone")
        if isinstance(command, str):
            command = command.encode()
        self._pipe.write(command if isinstance(command, bytes) else b"".join(command))

    async def read_response(self, *args: Any, **kwargs: Any) -> Reply:
        """Read the next reply, as redis-py does. Raises WireError; RedisRefusal where it is an error."""
        reply = await self.receive()
        if isinstance(reply, RedisRefusal):
            raise reply
        return reply

    async def receive(self) -> Reply:
        """The next reply or published message; an error of the server is a value. Raises WireError.

        A read that fails or is cancelled ends the connection: no half-read reply is taken for the next one.
        """
        try:
            return await self._next_reply()
        except hiredis.ProtocolError as error:
            self.abort()
            raise WireError(ErrorKind.PROTOCOL, f"not Redis's protocol: {error}") from error
        except BaseException:
            self.abort()
            raise

    async def _next_reply(self) -> Reply:
        """Read the next reply, within the bounds of its size and nesting. Raises WireError."""
        if self._pipe is None:
            raise WireError(ErrorKind.RESET, "the connection is gone")
        self._bounds.begin()
        received = 0
        while (reply := self._replies.gets()) is _INCOMPLETE:
            if received > REPLY_CAP:
                raise WireError(ErrorKind.TOO_LARGE, f"a reply has more than {REPLY_CAP} bytes")
            data = await self._pipe.read()
            if not data:
                raise WireError(ErrorKind.RESET, "the connection was closed before the reply")
            received += len(data)
            self._bounds.feed(data)
            self._replies.feed(data)
        if isinstance(reply, hiredis.PushNotification):
            raise WireError(ErrorKind.PROTOCOL, "the server pushes messages (RESP3) on a RESP2 connection")
        return reply  # type: ignore[no-any-return]

    def abort(self) -> None:
        """Close at once; nothing more is sent or read."""
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            pipe.abort()
        for connection in self._nodes.values():
            connection.abort()
        self._nodes.clear()

    async def disconnect(self, *args: Any, **kwargs: Any) -> None:
        """Close and wait until the socket is gone, at most a second."""
        pipe = self._pipe
        if pipe is not None:
            await pipe.aclose()
        self.abort()


def _error_at_node(node: Node, error: WireError) -> WireError:
    """Return an error with the address of the node of the cluster where it occurred."""
    return WireError(error.kind, f"{node.host}:{node.port} of the cluster: {error.detail}")


def _pack(command: Sequence[Argument]) -> bytes:
    """Return the command on the wire; redis-py's own packing splits a first argument at its spaces."""
    packed: bytes = hiredis.pack_command(tuple(command))  # type: ignore[arg-type]  # its stub wants a tuple of one
    return packed
