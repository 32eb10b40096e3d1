"""The API of a container engine on a Unix socket: Docker, or Podman's service, which speaks the same.

Source: Docker Engine API (operations ContainerInspect, ContainerStats, ContainerPause ...) and Podman's "compat" API.
Paths carry no version: both engines then answer in their newest one, while Docker 29 refuses clients of an old one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Literal, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from pydantic import ValidationError

from xnai_validate.errors import NotApplicable, Unmeasurable
from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.model.target import over_socket
from xnai_validate.wire.containers.answers import Inspection, Part, Stats
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.client import HttpClient, HttpRequest

ANSWER_CAP = 4 * 2**20
"""An answer of the engine is read up to this many bytes; an inspection has some ten thousand."""


class EngineError(WireError):
    """The container engine did not give a usable answer."""


class NoSuchContainer(EngineError):
    """The engine knows no container of that name or id."""


Action = Literal["pause", "unpause", "start", "stop", "restart", "kill"]
Answer = TypeVar("Answer", bound=Part)


class ContainerEngine:
    """A client of one engine. Every method raises EngineError; NoSuchContainer where the name is unknown."""

    def __init__(self, client: HttpClient, socket: str, timeout_s: float) -> None:
        self._client = client
        self._timeout_s = timeout_s
        self.socket = socket

    async def inspect(self, name: str) -> Inspection:
        """Identity, state, limits and networks of a container, by name or id."""
        return self._read(Inspection, await self._call("GET", _path(name, "json")))

    async def stats(self, name: str) -> Stats:
        """One reading of a container's memory and processes, without the wait for a second reading of its CPU time."""
        return self._read(Stats, await self._call("GET", _path(name, "stats"), {"stream": "false", "one-shot": "true"}))

    async def act(self, action: Action, name: str, *, signal: str | None = None, grace_s: int | None = None) -> bool:
        """Pause, start, stop ... a container; False where it already was in that state (304).

        `signal` is for `kill`; `grace_s` is how long `stop` and `restart` wait before they kill.
        """
        query = {"signal": signal} if signal else {}
        if grace_s is not None:
            query["t"] = str(grace_s)
        status, _ = await self._send("POST", _path(name, action), query, self._timeout_s + (grace_s or 0))
        return status != 304

    @staticmethod
    def _read(model: type[Answer], body: bytes) -> Answer:
        try:
            return model.model_validate_json(body)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise EngineError(ErrorKind.PROTOCOL, f"unusable answer: {where or 'JSON'}: {first['msg']}") from None

    async def _call(self, method: str, path: str, query: Mapping[str, str] | None = None) -> bytes:
        return (await self._send(method, path, query or {}, self._timeout_s))[1]

    async def _send(self, method: str, path: str, query: Mapping[str, str], timeout_s: float) -> tuple[int, bytes]:
        url = over_socket(self.socket, path) + (f"?{urlencode(query)}" if query else "")
        request = HttpRequest.of(url, method, headers={"Accept-Encoding": "identity"})
        try:
            answer = await self._client.fetch(request, timeout_s=timeout_s, body_cap=ANSWER_CAP)
        except WireError as failure:
            raise self._error(failure) from None
        if answer.failure is not None:
            raise self._error(answer.failure)
        if answer.head.status >= 400:
            raise _refusal(answer.head.status, answer.body)
        return answer.head.status, answer.body

    def _error(self, failure: WireError) -> EngineError:
        return EngineError(failure.kind, f"{self.socket}: {failure.detail}")


@asynccontextmanager
async def container_engine(socket: str, timeout_s: float) -> AsyncIterator[ContainerEngine]:
    """A client of the engine that listens on `socket` (a path); each call may take `timeout_s`.

    Raises Unmeasurable where this user may not use the socket.
    """
    if not os.access(socket, os.R_OK | os.W_OK):
        raise Unmeasurable(
            f"no permission to use the container engine's socket {socket}",
            hint="run as a user of the group that owns the socket, or name another with `socket:`",
        )
    async with HttpClient() as client:
        yield ContainerEngine(client, socket, timeout_s)


def find_socket(explicit: str | None = None) -> str:
    """The path of the engine's socket: the one named, else DOCKER_HOST's or CONTAINER_HOST's, else a usual place.

    Raises NotApplicable, with the places that were searched, when no socket exists.
    """
    if explicit is not None:
        path = explicit.removeprefix("unix://")
        if _is_socket(path):
            return path
        raise NotApplicable(f"no container engine socket at {path}")
    looked_for = list(_candidates())
    for path in looked_for:
        if _is_socket(path):
            return path
    raise NotApplicable(f"no container engine socket found; looked for {', '.join(looked_for)}")


def _candidates() -> list[str]:
    for variable in ("DOCKER_HOST", "CONTAINER_HOST"):
        value = os.environ.get(variable, "")
        if value.startswith("unix://"):
            return [urlsplit(value).path]
        if value:
            raise NotApplicable(
                f"{variable} names {urlsplit(value).scheme or 'an'} address; only unix:// is spoken here"
            )
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    own = [f"{runtime}/docker.sock", f"{runtime}/podman/podman.sock"] if runtime else []
    return ["/var/run/docker.sock", *own, "/run/podman/podman.sock"]


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False


def _path(name: str, what: str) -> str:
    return f"/containers/{quote(name, safe='')}/{what}"


class _Refusal(Part):
    message: str | None = None


def _refusal(status: int, body: bytes) -> EngineError:
    try:
        message = _Refusal.model_validate_json(body).message or ""
    except ValueError:
        message = body[:200].decode("utf-8", "replace")
    if status == 404 and "page not found" not in message:
        return NoSuchContainer(ErrorKind.PROTOCOL, message[:500] or "no such container")
    return EngineError(ErrorKind.PROTOCOL, f"the engine answered {status}: {message[:500]}")
