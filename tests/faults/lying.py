"""A server that speaks enough of Redis to be disturbed, and answers OK to what it does not do."""

from __future__ import annotations

import asyncio


class LyingRedis:
    """Keeps settings; once a setting was changed it keeps that, whatever it answers, until it is honest."""

    def __init__(self) -> None:
        self.settings = {"min-replicas-to-write": "0", "min-replicas-max-lag": "10"}
        self.honest = False
        self._changed: set[str] = set()

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer commands (RESP2) until the client leaves."""
        while line := await reader.readline():
            words = []
            for _ in range(int(line[1:])):
                size = int((await reader.readline())[1:])
                words.append((await reader.readexactly(size + 2))[:-2].decode())
            writer.write(self._answer(words))
            await writer.drain()

    def _answer(self, words: list[str]) -> bytes:
        command = [word.upper() for word in words[:2]]
        if command[0] == "INFO":
            return _bulk("# Server\r\nredis_version:7.0.0\r\nrun_id:" + "a" * 40 + "\r\n")
        if command == ["CONFIG", "GET"]:
            return b"*2\r\n" + _bulk(words[2]) + _bulk(self.settings[words[2]])
        if command == ["CONFIG", "SET"] and (self.honest or words[2] not in self._changed):
            self._changed.add(words[2])
            self.settings[words[2]] = words[3]
        return b"+OK\r\n"


def _bulk(text: str) -> bytes:
    return f"${len(text)}\r\n{text}\r\n".encode()
