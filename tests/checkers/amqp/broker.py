"""A small broker that speaks AMQP 0-9-1 over sockets, with the codec of pamqp: enough for clients that only look.

A real RabbitMQ is in `tests/extra`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from pamqp import commands, frame
from pamqp.base import Frame
from pamqp.common import FieldValue
from pamqp.heartbeat import Heartbeat

USER, PASSWORD = "validator", "s3cret-of-tests"


@dataclass(slots=True)
class Broker:
    """What the broker has, and how it misbehaves."""

    queues: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Name -> messages and consumers."""
    exclusive: set[str] = field(default_factory=set)
    virtual_hosts: set[str] = field(default_factory=lambda: {"/", "shop"})
    mechanisms: str = "PLAIN AMQPLAIN"
    greeting: bytes | None = None
    """What it sends instead of all it should."""
    port: int = 0
    closed: list[str] = field(default_factory=list)
    """The texts with which clients have ended their connections."""
    declared: list[bool] = field(default_factory=list)
    """Whether each declaration was passive."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        try:
            assert (await reader.readexactly(8)) == b"AMQP\x00\x00\x09\x01"
            if self.greeting is not None:
                writer.write(self.greeting)
                await reader.read()
                return
            properties: dict[str, FieldValue] = {"product": "Test broker", "version": "1.2.3"}
            self._send(writer, 0, commands.Connection.Start(0, 9, properties, self.mechanisms, "en_US"))
            while True:
                head = await reader.readexactly(7)
                rest = await reader.readexactly(int.from_bytes(head[3:7], "big") + 1)
                _, channel, method = frame.unmarshal(head + rest)
                if not self._answer(writer, channel, method):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    def _answer(self, writer: asyncio.StreamWriter, channel: int, method: object) -> bool:
        """Answer a method; whether the connection goes on."""
        if isinstance(method, commands.Connection.StartOk):
            right = method.response == f"\0{USER}\0{PASSWORD}"
            refusal = commands.Connection.Close(403, "ACCESS_REFUSED - Login was refused", 0, 0)
            self._send(writer, 0, commands.Connection.Tune(2047, 131072, 60) if right else refusal)
        elif isinstance(method, commands.Connection.Open):
            known = method.virtual_host in self.virtual_hosts
            refusal = commands.Connection.Close(530, f"NOT_ALLOWED - vhost {method.virtual_host} not found", 10, 40)
            self._send(writer, 0, commands.Connection.OpenOk() if known else refusal)
        elif isinstance(method, commands.Channel.Open):
            writer.write(Heartbeat().marshal())
            self._send(writer, channel, commands.Channel.OpenOk())
        elif isinstance(method, commands.Queue.Declare):
            self.declared.append(bool(method.passive))
            self._send(writer, channel, self._declaration(str(method.queue)))
        elif isinstance(method, commands.Connection.Close):
            self.closed.append(str(method.reply_text))
            return False
        return True

    def _declaration(self, name: str) -> Frame:
        if name in self.exclusive:
            text = f"RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '{name}'"
            return commands.Channel.Close(405, text, 50, 10)
        if name not in self.queues:
            return commands.Channel.Close(404, f"NOT_FOUND - no queue '{name}' in vhost '/'", 50, 10)
        return commands.Queue.DeclareOk(name, *self.queues[name])

    def _send(self, writer: asyncio.StreamWriter, channel: int, method: Frame) -> None:
        writer.write(frame.marshal(method, channel))


@asynccontextmanager
async def serving(broker: Broker) -> AsyncIterator[Broker]:
    """The broker on a free port of loopback."""
    server = await asyncio.start_server(broker.serve, "127.0.0.1", 0)
    broker.port = server.sockets[0].getsockname()[1]
    try:
        yield broker
    finally:
        server.close()
        await server.wait_closed()
