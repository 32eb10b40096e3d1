"""An OpenAI-like server of chat completions that keeps a record of its own streams; prints its port as its first line.

Each stream has an opening chunk without text at once, its first token after `FIRST_S`, `TOKENS` of them `GAP_S` apart,
and `[DONE]`. `GET /record` gives the record, and empties it. The argument is what the server does besides:

* `steady`: nothing.
* `stall`: no token is written in the third second of every five since the first stream of a record: what is due then
  comes when that second is over.
* `mutilate`: every tenth stream has a defect after some tokens, one of `DEFECTS` in turn.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

TOKENS, FIRST_S, GAP_S = 15, 0.2, 0.083
"""The gap is such that a standstill is more than 1 % of all gaps: else their 99th percentile would lie where hardly
any gap does, between those of the server's own rhythm and those of the standstill, and a single late tick of the host
would move it by half."""
STALL_S, EVERY_S, BEFORE_S = 1.0, 5.0, 2.0
DEFECTS = ("error frame", "truncated", "reset", "no end")
"""An error in an event, with `[DONE]` after it; a body that ends within a chunk; a reset of the connection; a body that
HTTP ends well, without `[DONE]`."""
DEFECT_EVERY, DEFECT_AFTER = 10, 7
_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
    b"Cache-Control: no-cache\r\n\r\n"
)
_END = b"0\r\n\r\n"
_LINGER_0 = struct.pack("ii", 1, 0)
MODEL = "bench"


@dataclass(slots=True)
class Recorded:
    """One stream: when its request had been read, and when each token was written, in seconds."""

    received_s: float
    written_s: list[float] = field(default_factory=list)
    whole: bool = False

    @property
    def gaps_ms(self) -> list[float]:
        """The times between two tokens."""
        return [(after - before) * 1000 for before, after in zip(self.written_s, self.written_s[1:], strict=False)]


def _delta(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": MODEL, "choices": [choice]}
    return _event(json.dumps(chunk))


def _event(data: str) -> bytes:
    event = f"data: {data}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(event), event)


class Server:
    """The streams, and their record."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.begun_s: float | None = None
        self.record: list[Recorded] = []
        self.defects: Counter[str] = Counter()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = head.partition(b"content-length:")[2].partition(b"\r\n")[0].strip()
            body = await reader.readexactly(int(length or 0))
            if b"post /v1/chat/completions" in head:
                await self.stream(writer, b'"include_usage": true' in body or b'"include_usage":true' in body)
            else:
                await _document(writer, self.taken() if b"get /record" in head else {"data": [{"id": MODEL}]})
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def stream(self, writer: asyncio.StreamWriter, usage: bool) -> None:
        """Write one stream, token by token."""
        stream = Recorded(time.perf_counter())
        self.begun_s = self.begun_s or stream.received_s
        self.record.append(stream)
        number = len(self.record)
        defect = None
        if self.mode == "mutilate" and number % DEFECT_EVERY == 0:
            defect = DEFECTS[number // DEFECT_EVERY % len(DEFECTS)]
            self.defects[defect] += 1
        writer.write(_HEAD % b"text/event-stream" + _delta({"role": "assistant", "content": ""}))
        for token in range(TOKENS if defect is None else DEFECT_AFTER):
            await self._until(stream.received_s + FIRST_S + token * GAP_S)
            stream.written_s.append(time.perf_counter())
            writer.write(_delta({"content": "word "}))
            await writer.drain()
        if defect is not None:
            await _mutilate(writer, defect)
            return
        writer.write(_delta({}, "stop"))
        if usage:
            counted = {"prompt_tokens": 8, "completion_tokens": TOKENS, "total_tokens": 8 + TOKENS}
            last = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": MODEL, "choices": []}
            writer.write(_event(json.dumps({**last, "usage": counted})))
        writer.write(_event("[DONE]") + _END)
        await writer.drain()
        stream.whole = True

    async def _until(self, due_s: float) -> None:
        """Wait for a moment, and for the end of a standstill."""
        if self.mode == "stall" and self.begun_s is not None:
            into_s = (due_s - self.begun_s - BEFORE_S) % EVERY_S
            due_s += max(0.0, STALL_S - into_s)
        await asyncio.sleep(max(0.0, due_s - time.perf_counter()))

    def taken(self) -> dict[str, object]:
        """Times of the whole streams in the order of their requests, in milliseconds, and how many had which defect."""
        whole = [stream for stream in self.record if stream.whole]
        taken: dict[str, object] = {
            "first_ms": [(stream.written_s[0] - stream.received_s) * 1000 for stream in whole],
            "gaps_ms": [gap for stream in whole for gap in stream.gaps_ms],
            "longest_ms": [max(stream.gaps_ms) for stream in whole],
            "defects": dict(self.defects),
        }
        self.record, self.begun_s, self.defects = [], None, Counter()
        return taken


async def _mutilate(writer: asyncio.StreamWriter, defect: str) -> None:
    """End a stream with a defect."""
    if defect == "error frame":
        error = {"error": {"message": "out of memory", "type": "server_error", "code": 500}}
        writer.write(_event(json.dumps(error)) + _event("[DONE]") + _END)
    elif defect == "truncated":
        writer.write(_delta({"content": "word "})[:-20])
    elif defect == "reset":
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_0)
        writer.transport.abort()
        return
    else:
        writer.write(_END)
    await writer.drain()


async def _document(writer: asyncio.StreamWriter, document: object) -> None:
    data = json.dumps(document).encode()
    writer.write(_HEAD % b"application/json" + b"%x\r\n%b\r\n" % (len(data), data) + _END)
    await writer.drain()


async def serve(mode: str) -> None:
    """Serve until the standard input ends, which it does with the process that started this one."""
    server = await asyncio.start_server(Server(mode).connected, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
        await ended.wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
