"""Tasks, in the form of Vikunja 0.24: projects and tasks behind a token, kept in memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from itertools import count

from aiohttp import web

from tests.field.settings import Settings

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_Entry = dict[str, object]
_TOKEN = web.AppKey("token", str)
_numbers = count(1)
_projects: dict[int, _Entry] = {}
_tasks: dict[int, _Entry] = {}


def application(settings: Settings) -> web.Application:
    """Return the API of Vikunja with one project."""
    app = web.Application(middlewares=[_authenticate])
    app[_TOKEN] = settings.vikunja_token
    router = app.router
    router.add_get("/api/v1/info", _info)
    router.add_get("/api/v1/projects", _list_projects)
    router.add_put("/api/v1/projects", _create_project)
    router.add_get("/api/v1/projects/{id}", _read_project)
    router.add_delete("/api/v1/projects/{id}", _delete_project)
    router.add_put("/api/v1/projects/{id}/tasks", _create_task)
    router.add_get("/api/v1/tasks/all", _list_tasks)
    router.add_get("/api/v1/tasks/{id}", _read_task)
    router.add_post("/api/v1/tasks/{id}", _change_task)
    router.add_delete("/api/v1/tasks/{id}", _delete_task)
    number = next(_numbers)
    _projects[number] = {"id": number, "title": "Inbox", "description": "", "is_archived": False}
    return app


@web.middleware
async def _authenticate(request: web.Request, handler: _Handler) -> web.StreamResponse:
    public = request.path == "/api/v1/info"
    if not public and request.headers.get("Authorization") != f"Bearer {request.app[_TOKEN]}":
        return web.json_response(
            {"message": "missing, malformed, expired or otherwise invalid token provided", "code": 11}, status=401
        )
    try:
        return await handler(request)
    except web.HTTPException as error:
        return web.json_response({"message": error.reason}, status=error.status)


async def _info(_: web.Request) -> web.Response:
    return web.json_response({"version": "v0.24.6", "frontend_url": "/", "motd": "", "caldav_enabled": True})


def _page(entries: list[_Entry]) -> web.Response:
    headers = {"x-pagination-total-pages": "1", "x-pagination-result-count": str(len(entries))}
    return web.json_response(entries, headers=headers)


def _entry(request: web.Request, entries: dict[int, _Entry], kind: str) -> _Entry:
    text = request.match_info["id"]
    if not text.isdecimal() or int(text) not in entries:
        raise web.HTTPNotFound(reason=f"The {kind} does not exist.")
    return entries[int(text)]


async def _body(request: web.Request) -> _Entry:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(reason="No or invalid model provided.")
    return body


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


async def _list_projects(_: web.Request) -> web.Response:
    return _page(list(_projects.values()))


async def _create_project(request: web.Request) -> web.Response:
    body = await _body(request)
    number = next(_numbers)
    _projects[number] = {"description": "", "is_archived": False, **body, "id": number, "created": _now()}
    return web.json_response(_projects[number], status=201)


async def _read_project(request: web.Request) -> web.Response:
    return web.json_response(_entry(request, _projects, "project"))


async def _delete_project(request: web.Request) -> web.Response:
    number = _entry(request, _projects, "project")["id"]
    for task in [task for task, entry in _tasks.items() if entry["project_id"] == number]:
        del _tasks[task]
    del _projects[int(request.match_info["id"])]
    return web.json_response({"message": "Successfully deleted."})


async def _create_task(request: web.Request) -> web.Response:
    project = _entry(request, _projects, "project")
    body = await _body(request)
    if not body.get("title"):
        raise web.HTTPBadRequest(reason="The task title cannot be empty.")
    number = next(_numbers)
    _tasks[number] = {
        "description": "",
        "done": False,
        "priority": 0,
        **body,
        "id": number,
        "project_id": project["id"],
        "created": _now(),
        "updated": _now(),
    }
    return web.json_response(_tasks[number], status=201)


async def _list_tasks(_: web.Request) -> web.Response:
    return _page(list(_tasks.values())[:50])


async def _read_task(request: web.Request) -> web.Response:
    return web.json_response(_entry(request, _tasks, "task"))


async def _change_task(request: web.Request) -> web.Response:
    task = _entry(request, _tasks, "task")
    task.update(await _body(request) | {"id": task["id"], "updated": _now()})
    return web.json_response(task)


async def _delete_task(request: web.Request) -> web.Response:
    del _tasks[int(str(_entry(request, _tasks, "task")["id"]))]
    return web.json_response({"message": "Successfully deleted."})
