"""The task manager: a stand-in for Vikunja with the part of its API that the stack uses.

`GET /api/v1/info` is public (`version`, `frontend_url`, `motd`, ...). The rest requires `Authorization: Bearer
<token>` and answers 401 `{"message": "missing, malformed, ..."}` without it:

* `GET /api/v1/tasks/all?page=&per_page=` and `GET /api/v1/projects` list, with the headers `x-pagination-total-pages`
  and `x-pagination-result-count`;
* `PUT /api/v1/projects/{id}/tasks` `{title}` creates (201);
* `GET`, `POST` and `DELETE /api/v1/tasks/{id}` read, change (`title`, `done`) and remove.

Tasks are kept in memory; keys in Redis database 5 (`vikunja:started`, `vikunja:tasks:count`) stand for the sessions
and caches that Vikunja has there.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import count

from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from xnai_validate.demo.seams import seam
from xnai_validate.demo.services.pages import not_found
from xnai_validate.demo.services.reconnect import ONCE_MORE
from xnai_validate.demo.settings import Settings

VERSION = "v0.24.6"
DATABASE = 5
_PER_PAGE = 50


@dataclass(slots=True)
class Task:
    """A task as Vikunja's API shows it; times are RFC 3339 in UTC."""

    id: int
    title: str
    project_id: int = 1
    done: bool = False
    description: str = ""
    created: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"))


@seam
def database() -> int:
    """The Redis database with the keys."""
    return DATABASE


@seam
def info_of(settings: Settings) -> dict[str, object]:
    """What the service publishes about itself."""
    return {
        "version": VERSION,
        "frontend_url": settings.url("vikunja") + "/",
        "motd": "",
        "link_sharing_enabled": True,
        "max_file_size": "20MB",
        "task_attachments_enabled": True,
        "auth": {"local": {"enabled": True}, "openid_connect": {"enabled": False}},
    }


@seam
def refusal() -> Response:
    """The response to a request without a valid token."""
    return JSONResponse({"message": "missing, malformed, expired or otherwise invalid token provided"}, 401)


class Vikunja:
    """The tasks and the handlers of the API."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._numbers = count(1)
        titles = ("Index the new documents", "Rotate the Redis password", "Review the alerts of last week")
        self._tasks = {number: Task(number, title) for number, title in zip(self._numbers, titles, strict=False)}
        self._numbers = count(len(titles) + 1)
        self._redis = Redis(
            port=settings.redis_port,
            password=settings.redis_password,
            retry=ONCE_MORE,
            db=database(),
            socket_timeout=1.0,
            socket_connect_timeout=1.0,
        )

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        """Record the start in Redis; Vikunja works without Redis, too."""
        with contextlib.suppress(RedisError, OSError):
            await self._redis.set("vikunja:started", datetime.now(UTC).isoformat())
            await self._count()
        yield
        await self._redis.aclose()

    @seam
    async def info(self, request: Request) -> Response:
        """GET /api/v1/info"""
        return JSONResponse(info_of(self._settings))

    @seam
    async def tasks(self, request: Request) -> Response:
        """GET /api/v1/tasks/all"""
        return self.listed_tasks(request) if self.is_allowed(request) else refusal()

    @seam
    def listed_tasks(self, request: Request) -> Response:
        """The list of tasks."""
        return _listed(request, [asdict(task) for task in self._tasks.values()])

    async def projects(self, request: Request) -> Response:
        """GET /api/v1/projects"""
        if not self.is_allowed(request):
            return refusal()
        return _listed(request, [{"id": 1, "title": "Inbox", "description": ""}])

    async def create_task(self, request: Request) -> Response:
        """PUT /api/v1/projects/{id}/tasks"""
        if not self.is_allowed(request):
            return refusal()
        sent = await _json_object(request)
        title = sent.get("title")
        if not isinstance(title, str) or not title.strip():
            return JSONResponse({"code": 2002, "message": "Invalid Data", "invalid_fields": ["title"]}, 412)
        if request.path_params["project"] != 1:
            return JSONResponse({"code": 3001, "message": "The project does not exist."}, 404)
        task = Task(next(self._numbers), title[:250])
        self.keep(task)
        await self._count()
        return JSONResponse(asdict(task), 201)

    async def task(self, request: Request) -> Response:
        """GET, POST and DELETE /api/v1/tasks/{id}"""
        if not self.is_allowed(request):
            return refusal()
        task = self._tasks.get(request.path_params["task"])
        if task is None:
            return JSONResponse({"code": 4002, "message": "This task does not exist."}, 404)
        if request.method == "DELETE":
            del self._tasks[task.id]
            await self._count()
            return JSONResponse({"message": "Successfully deleted."})
        if request.method == "POST":
            sent = await _json_object(request)
            task.title = str(sent.get("title", task.title))[:250]
            task.done = sent.get("done", task.done) is True
        return JSONResponse(asdict(task))

    @seam
    def keep(self, task: Task) -> None:
        """Keep a new task."""
        self._tasks[task.id] = task

    @seam
    def is_allowed(self, request: Request) -> bool:
        """Whether a request has the token."""
        return bearer_token(request) == self._settings.vikunja_token

    async def _count(self) -> None:
        """Write the number of tasks to Redis, if it answers."""
        with contextlib.suppress(RedisError, OSError):
            await self._redis.set("vikunja:tasks:count", len(self._tasks))


def bearer_token(request: Request) -> str:
    """The bearer token of a request (RFC 6750); empty if it has none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


def _listed(request: Request, rows: list[dict[str, object]]) -> Response:
    """One page of a list."""
    page = _number(request.query_params.get("page"), 1)
    size = min(_number(request.query_params.get("per_page"), _PER_PAGE), _PER_PAGE)
    shown = rows[(page - 1) * size : page * size]
    return JSONResponse(shown, headers=pagination_headers(math.ceil(len(rows) / size), len(shown)))


@seam
def pagination_headers(pages: int, shown: int) -> dict[str, str]:
    """The headers of one page of a list."""
    return {"x-pagination-total-pages": str(pages), "x-pagination-result-count": str(shown)}


def _number(text: str | None, default: int) -> int:
    """Return a parameter as a number from 1; the default if it is absent or no number."""
    return max(1, int(text)) if text and text.isascii() and text.isdigit() and len(text) < 7 else default


async def _json_object(request: Request) -> dict[str, object]:
    """The request's body as a JSON object; empty if it is not an object."""
    try:
        body: object = json.loads(await request.body())
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def create(settings: Settings) -> Starlette:
    """The application on the port `vikunja`."""
    vikunja = Vikunja(settings)
    return Starlette(
        routes=[
            Route("/api/v1/info", vikunja.info),
            Route("/api/v1/tasks/all", vikunja.tasks),
            Route("/api/v1/projects", vikunja.projects),
            Route("/api/v1/projects/{project:int}/tasks", vikunja.create_task, methods=["PUT"]),
            Route("/api/v1/tasks/{task:int}", vikunja.task, methods=["GET", "POST", "DELETE"]),
        ],
        exception_handlers={404: not_found},
        lifespan=vikunja.lifespan,
    )
