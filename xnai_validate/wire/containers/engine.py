"""The API of a container engine on a Unix socket: Docker, or Podman's service, which speaks the same.

Source: Docker Engine API (operations ContainerInspect, ContainerStats, ContainerPause ...) and Podman's "compat" API.
Paths carry no version: both engines then answer in their newest one, while Docker 29 refuses clients of an old one.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Literal, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from pydantic import BaseModel, ValidationError

from xnai_validate.errors import NotApplicable, Unmeasurable
from xnai_validate.model.error_kind import ErrorKind
from xnai_validate.model.target import over_socket
from xnai_validate.wire.containers.answers import Inspection, Listed, ListedContainers, Part, Stats
from xnai_validate.wire.failure import WireError
from xnai_validate.wire.http.client import HttpClient, HttpRequest

ANSWER_CAP = 4 * 2**20
"""An answer of the engine is read up to this many bytes; an inspection has some ten thousand."""


class EngineError(WireError):
    """The container engine did not give a usable answer."""


class NoSuchContainer(EngineError):
    """The engine knows no container of that name or id."""


class NotRunning(EngineError):
    """The container is stopped or paused, so the engine cannot do that with it."""


Action = Literal["pause", "unpause", "start", "stop", "restart", "kill"]
Answer = TypeVar("Answer", bound=BaseModel)


class ContainerEngine:
    """A client of one engine. Every method raises EngineError; NoSuchContainer where the name is unknown."""

    def __init__(self, client: HttpClient, socket: str, timeout_s: float) -> None:
        self._client = client
        self._timeout_s = timeout_s
        self.socket = socket

    async def inspect(self, name: str) -> Inspection:
        """Identity, state, limits and networks of a container, by name or id, or of a service as `project/service`."""
        return self.read(Inspection, await self.get(container_path(await self.container_id(name), "json")))

    async def of_service(self, name: str) -> tuple[Listed, ...]:
        """The containers of a service of a compose project, `project/service`; those that run come first.

        Source: Docker Compose, which labels each container with project, service and number; podman-compose does too.
        """
        project, _, service = name.partition("/")
        labels = [f"com.docker.compose.project={project}", f"com.docker.compose.service={service}"]
        query = {"all": "true", "filters": json.dumps({"label": labels})}
        body = await self.get("/containers/json", query)
        listed = self.read(ListedContainers, b'{"containers": ' + body + b"}")
        return tuple(sorted(listed.containers, key=lambda each: (each.state != "running", each.number)))

    async def container_id(self, name: str) -> str:
        """The id of the first container of a service that is named `project/service`; any other name as it is."""
        if "/" not in name:
            return name
        containers = await self.of_service(name)
        if not containers:
            project, _, service = name.partition("/")
            raise NoSuchContainer(ErrorKind.PROTOCOL, f"no container of the service {service} of the project {project}")
        return containers[0].id

    async def stats(self, name: str) -> Stats:
        """One reading of a container's memory and processes, without the wait for a second reading of its CPU time."""
        path = container_path(await self.container_id(name), "stats")
        return self.read(Stats, await self.get(path, {"stream": "false", "one-shot": "true"}))

    async def act(self, action: Action, name: str, *, signal: str | None = None, grace_s: int | None = None) -> bool:
        """Pause, start, stop ... a container; False where it already was in that state (304).

        `signal` is for `kill`; `grace_s` is how long `stop` and `restart` wait before they kill.
        """
        query = {"signal": signal} if signal else {}
        if grace_s is not None:
            query["t"] = str(grace_s)
        path = container_path(await self.container_id(name), action)
        status, _ = await self._send("POST", path, query, self._timeout_s + (grace_s or 0))
        return status != 304

    @staticmethod
    def read(model: type[Answer], body: bytes) -> Answer:
        """The answer of a call as its model; raises EngineError where it does not fit."""
        try:
            return model.model_validate_json(body)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"])
            raise EngineError(ErrorKind.PROTOCOL, f"unusable answer: {where or 'JSON'}: {first['msg']}") from None

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> bytes:
        """The body of the answer to a GET."""
        return (await self._send("GET", path, query or {}, self._timeout_s))[1]

    async def post(self, path: str, document: Mapping[str, object]) -> bytes:
        """The body of the answer to a POST of a JSON document."""
        return (await self._send("POST", path, {}, self._timeout_s, document))[1]

    async def stream(
        self,
        path: str,
        document: Mapping[str, object] | None,
        feed: Callable[[bytes], None],
        query: Mapping[str, str] | None = None,
    ) -> None:
        """Give each piece of an answer to `feed` as it comes, until its end: to a POST of a document, or to a GET.

        Bound the time outside: the answer ends when the engine ends it.
        """
        try:
            async with await self._client.send(self._make_request(path, query or {}, document)) as answer:
                if answer.head.status >= 400:
                    body = bytearray()
                    async for piece in answer.pieces():
                        body += piece[: ANSWER_CAP - len(body)]
                    raise _error_of_status(answer.head.status, bytes(body))
                async for piece in answer.pieces():
                    feed(piece)
        except EngineError:
            raise
        except WireError as failure:
            raise self._engine_error(failure) from None

    def _make_request(
        self, path: str, query: Mapping[str, str], document: Mapping[str, object] | None, method: str | None = None
    ) -> HttpRequest:
        """Return a request to the engine's API."""
        url = over_socket(self.socket, path) + (f"?{urlencode(query)}" if query else "")
        return HttpRequest.of(
            url,
            method or ("GET" if document is None else "POST"),
            headers={"Accept-Encoding": "identity"},
            body=b"" if document is None else json.dumps(document).encode(),
            content_type=None if document is None else "application/json",
        )

    async def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        timeout_s: float,
        document: Mapping[str, object] | None = None,
    ) -> tuple[int, bytes]:
        """Send a request; return the status and body of the answer.

        Raises EngineError, also for a status of 400 or more.
        """
        request = self._make_request(path, query, document, method)
        try:
            answer = await self._client.fetch(request, timeout_s=timeout_s, body_cap=ANSWER_CAP)
        except WireError as failure:
            raise self._engine_error(failure) from None
        if answer.failure is not None:
            raise self._engine_error(answer.failure)
        if answer.head.status >= 400:
            raise _error_of_status(answer.head.status, answer.body)
        return answer.head.status, answer.body

    def _engine_error(self, failure: WireError) -> EngineError:
        """Return the error of the engine for a failure on the wire, with the path of its socket."""
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
    looked_for = list(_candidate_sockets())
    for path in looked_for:
        if _is_socket(path):
            return path
    raise NotApplicable(f"no container engine socket found; looked for {', '.join(looked_for)}")


def _candidate_sockets() -> list[str]:
    """Return where the engine's socket may be. Raises NotApplicable if the environment names no Unix socket."""
    for variable in ("DOCKER_HOST", "CONTAINER_HOST"):
        value = os.environ.get(variable, "")
        if value.startswith("unix://"):
            return [urlsplit(value).path]
        if value:
            raise NotApplicable(f"{variable} names {urlsplit(value).scheme or 'an'} address; only unix:// is supported")
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    own = [f"{runtime}/docker.sock", f"{runtime}/podman/podman.sock"] if runtime else []
    return ["/var/run/docker.sock", *own, "/run/podman/podman.sock"]


def _is_socket(path: str) -> bool:
    """Whether a path is a Unix socket."""
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False


def container_path(name: str, what: str) -> str:
    """The path of a call about a container."""
    return f"/containers/{quote(name, safe='')}/{what}"


class _Refusal(Part):
    """The body of an answer with an error status."""

    message: str | None = None


def _error_of_status(status: int, body: bytes) -> EngineError:
    """Return the error for a status: no such container, not running, or another."""
    try:
        message = _Refusal.model_validate_json(body).message or ""
    except ValueError:
        message = body[:200].decode("utf-8", "replace")
    if status == 404 and "page not found" not in message:
        return NoSuchContainer(ErrorKind.PROTOCOL, message[:500] or "no such container")
    if status == 409 and any(word in message for word in ("not running", "paused", "state improper")):
        return NotRunning(ErrorKind.PROTOCOL, message[:500])
    return EngineError(ErrorKind.PROTOCOL, f"the engine answered {status}: {message[:500]}")
