"""A Vikunja that is too open, too closed, slow or forgetful."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.services.vikunja import (
    Task,
    Vikunja,
    bearer_token,
    database,
    info_of,
    pagination_headers,
    refusal,
)

Handler = Callable[[Vikunja, Request], Awaitable[Response]]
IsAllowed = Callable[[Vikunja, Request], bool]

NO_VERSION = Defect(
    "vikunja-no-version",
    "Vikunja's info has no version.",
    checks=("services/gateway:routes-vikunja", "vikunja/vikunja:info"),
).changes(info_of, lambda info: {name: info[name] for name in info if name != "version"})

INFO_PRIVATE = Defect(
    "vikunja-info-private",
    "Vikunja's info demands a token.",
    checks=("services/gateway:routes-vikunja", "vikunja/vikunja:info", "vikunja/vikunja:quick"),
)


@INFO_PRIVATE.wraps(Vikunja.info)
async def info_with_token(info: Handler, /, self: Vikunja, request: Request) -> Response:
    """Answer the request for the info only with a token; refuse it otherwise."""
    return await info(self, request) if self.is_allowed(request) else refusal()


INFO_SLOW = Defect("vikunja-info-slow", "Vikunja's info takes over two seconds.", checks=("vikunja/vikunja:quick",))


@INFO_SLOW.wraps(Vikunja.info)
async def info_late(info: Handler, /, self: Vikunja, request: Request) -> Response:
    """Answer the request for the info after 2.3 seconds."""
    await asyncio.sleep(2.3)
    return await info(self, request)


PUBLIC_TASKS = Defect(
    "vikunja-public-tasks",
    "Tasks are shown without a token.",
    checks=("vikunja/vikunja:private", "vikunja/vikunja:wrong-token"),
)


@PUBLIC_TASKS.wraps(Vikunja.tasks)
async def tasks_for_everyone(_: Handler, /, self: Vikunja, request: Request) -> Response:
    """Send the list of tasks without a look at the token."""
    return self.listed_tasks(request)


ANY_TOKEN = Defect("vikunja-any-token", "Any bearer token is accepted.", checks=("vikunja/vikunja:wrong-token",))


@ANY_TOKEN.wraps(Vikunja.is_allowed)
def allow_any_token(_: IsAllowed, /, self: Vikunja, request: Request) -> bool:
    """Whether a request is allowed: with any bearer token."""
    return bool(bearer_token(request))


REFUSES_TOKEN = Defect(
    "vikunja-refuses-token", "The stack's own token is refused.", checks=("vikunja/vikunja:tasks",)
).changes(Vikunja.is_allowed, lambda _: False)

HTML_401 = Defect(
    "vikunja-html-401",
    "Without a token a login page comes back with 200.",
    checks=("vikunja/vikunja:private", "vikunja/vikunja:wrong-token"),
).changes(refusal, lambda _: HTMLResponse("<html><head><title>Login | Vikunja</title></head><body></body></html>"))

TASKS_500 = Defect("vikunja-tasks-500", "The list of tasks fails with 500.", checks=("vikunja/vikunja:tasks",)).changes(
    Vikunja.listed_tasks, lambda _: JSONResponse({"message": "Internal Server Error"}, 500)
)

NO_PAGINATION = Defect(
    "vikunja-no-pagination", "The list of tasks has no pagination headers.", checks=("vikunja/vikunja:tasks",)
).changes(pagination_headers, lambda _: {})

FORGETS = Defect(
    "vikunja-forgets", "A created task is acknowledged and never listed.", checks=("vikunja/vikunja:keeps",)
)


@FORGETS.wraps(Vikunja.keep)
def forget(_: Callable[[Vikunja, Task], None], /, self: Vikunja, task: Task) -> None:
    """Keep no task."""


WRONG_DATABASE = Defect(
    "vikunja-wrong-database",
    "Vikunja keeps its keys in the API's database.",
    checks=("vikunja/vikunja:cache",),
).changes(database, lambda _: 0)
