"""An OpenAI-like server of chat completions that keeps a record of its own streams; prints its port as its first line.

Each stream has an opening chunk without text at once, its first token after `FIRST_S`, `TOKENS` of them `GAP_S` apart,
and `[DONE]`. With the argument `stall`, no token is written in the first second of every five: what is due then comes
when that second is over. `GET /record` gives the record, and empties it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field

TOKENS, FIRST_S, GAP_S = 20, 0.2, 0.03
STALL_S, EVERY_S = 1.0, 5.0
_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
    b"Cache-Control: no-cache\r\n\r\n"
)
MODEL = "bench"


@dataclass(slots=True)
class Recorded:
    """One stream: when its request had been read, and when each token was written, in seconds."""

    received_s: float
    written_s: list[float] = field(default_factory=list)
    whole: bool = False

    @property
    def longest_gap_s(self) -> float:
        """The longest time between two tokens."""
        return max(after - before for before, after in zip(self.written_s, self.written_s[1:], strict=False))


def _delta(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": MODEL, "choices": [choice]}
    return _chunk(f"data: {json.dumps(chunk)}\n\n".encode())


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class Server:
    """The streams, and their record."""

    def __init__(self, *, stalls: bool) -> None:
        self.stalls = stalls
        self.begun_s = time.perf_counter()
        self.record: list[Recorded] = []

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
        self.record.append(stream)
        writer.write(_HEAD % b"text/event-stream" + _delta({"role": "assistant", "content": ""}))
        for number in range(TOKENS):
            await self._until(stream.received_s + FIRST_S + number * GAP_S)
            stream.written_s.append(time.perf_counter())
            writer.write(_delta({"content": "word "}))
            await writer.drain()
        writer.write(_delta({}, "stop"))
        if usage:
            counted = {"prompt_tokens": 8, "completion_tokens": TOKENS, "total_tokens": 8 + TOKENS}
            last = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": MODEL, "choices": []}
            writer.write(_chunk(f"data: {json.dumps({**last, 'usage': counted})}\n\n".encode()))
        writer.write(_chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
        await writer.drain()
        stream.whole = True

    async def _until(self, due_s: float) -> None:
        """Wait for a moment, and for the end of a standstill."""
        if self.stalls:
            into_s = (due_s - self.begun_s) % EVERY_S
            due_s += max(0.0, STALL_S - into_s)
        await asyncio.sleep(max(0.0, due_s - time.perf_counter()))

    def taken(self) -> dict[str, object]:
        """Of the whole streams: times to the first token, gaps, and the longest gap of each, in milliseconds."""
        whole = [stream for stream in self.record if stream.whole]
        self.record = []
        pairs = [pair for stream in whole for pair in zip(stream.written_s, stream.written_s[1:], strict=False)]
        return {
            "first_ms": [(stream.written_s[0] - stream.received_s) * 1000 for stream in whole],
            "gaps_ms": [(after - before) * 1000 for before, after in pairs],
            "longest_ms": [stream.longest_gap_s * 1000 for stream in whole],
        }


async def _document(writer: asyncio.StreamWriter, document: object) -> None:
    writer.write(_HEAD % b"application/json" + _chunk(json.dumps(document).encode()) + b"0\r\n\r\n")
    await writer.drain()


async def serve(*, stalls: bool) -> None:
    """Serve until the standard input ends, which it does with the process that started this one."""
    server = await asyncio.start_server(Server(stalls=stalls).connected, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
        await ended.wait()


if __name__ == "__main__":
    asyncio.run(serve(stalls=sys.argv[1:] == ["stall"]))
