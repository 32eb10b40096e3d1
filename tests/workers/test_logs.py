"""What Dask logs, and shows on its pages, of a load and of checks with secrets: no secret, also at debug level."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

import httpx
import pytest
from websockets.asyncio.server import ServerConnection, serve

from tests.checkers.beside import beside
from tests.e2e.tool import tool
from tests.ports import free_port
from tests.scripted import Line, ReceivedRequest, scripted
from tests.workers.dask_processes import DaskProcesses
from tests.workers.loads import load_by
from tests.workers.places import plan_from, run_from
from tests.workers.spellings import found
from xnai_validate.kit import Target
from xnai_validate.model.results.status import Status
from xnai_validate.model.target import Auth

SECRETS = {
    "of the url": "Pw/url+4801",
    "of the login": "bt4802.abc/DEF=",
    "of a header": "hk4803/ab+cd",
    "of the query": "qu4804abcd",
    "of the body": 'jb4805"ab/cd',
    "of the response": "sc4806abcd",
    "of the body of the response": "tr4807abcd",
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "root": {"level": "DEBUG", "handlers": ["all"]},
    "handlers": {"all": {"class": "logging.StreamHandler", "level": "DEBUG", "stream": "ext://sys.stderr"}},
}
"""Everything that any library logs, into the file of the process."""
PAGES = ("", "status", "info/main/workers.html", "info/logs.html", "json/identity.json", "sitemap.json", "metrics")
"""Names of pages of the HTTP servers of Dask; of those that a server does not have, the error page."""


@pytest.fixture(scope="module")
def dask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskProcesses]:
    """A scheduler and a worker that log everything, and whose pages are served."""
    folder = tmp_path_factory.mktemp("dask")
    (folder / "config").mkdir()
    (folder / "config" / "logging.yaml").write_text(json.dumps({"logging": LOGGING}))
    variables = {"DASK_CONFIG": str(folder / "config"), "PYTHONASYNCIODEBUG": "1"}
    processes = DaskProcesses(folder, "127.0.0.1", free_port(), variables=variables)
    addresses = [f"127.0.0.1:{free_port()}" for _ in range(2)]
    processes.pages = tuple(f"http://{address}/" for address in addresses)
    try:
        processes.start_scheduler("--dashboard", "--dashboard-address", addresses[0])
        processes.start_worker("w0", "--dashboard", "--dashboard-address", addresses[1])
        processes.await_workers()
        yield processes
    finally:
        processes.end()


async def answer(request: ReceivedRequest, line: Line) -> bool:
    """Answer with secrets of the server's own."""
    body = json.dumps({"access_token": SECRETS["of the body of the response"]}).encode()
    if request.path.startswith("/stream"):
        body = b"data: " + body + b"\n\n"
    kind = "text/event-stream" if request.path.startswith("/stream") else "application/json"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    await line.send(f"{head}Set-Cookie: sid={SECRETS['of the response']}\r\n\r\n".encode() + body)
    return True


def target_of(port: int, auth: Auth | None = None) -> Target:
    """The server on a port, with a password in its url where it has no other credentials, and a secret header."""
    user = "" if auth else f"svc:{quote(SECRETS['of the url'], safe='')}@"
    return Target("api", f"http://{user}127.0.0.1:{port}", auth=auth, headers=(("X-Api-Key", SECRETS["of a header"]),))


def test_no_secret_is_in_a_log_or_on_a_page(dask: DaskProcesses, tmp_path: Path) -> None:
    """Of a load, and of an HTTP request, a stream and a WebSocket measured from a worker, in any spelling."""
    token, body = f"?token={SECRETS['of the query']}", {"password": SECRETS["of the body"]}
    secrets = tuple(SECRETS.values())
    with scripted(answer) as server:
        load = load_by(
            dask.url,
            "load.http",
            target_of(server.port, Auth("bearer", secret=SECRETS["of the login"])),
            secrets=secrets,
            method="POST",
            path=f"/load{token}",
            json=body,
            arrivals={"rate": 20},
            for_="1s",
        )
        assert load.status is Status.PASS, load.reason
        request: dict[str, Any] = {"method": "POST", "path": f"/request{token}", "json": body}
        for kind, with_ in (("http.request", request), ("sse.stream", {**request, "path": f"/stream{token}"})):
            target = target_of(server.port)
            plan = plan_from(target, "workers", kind=kind, secrets=secrets, expect={"status": 200}, **with_)
            ended = run_from(dask.url, plan, tmp_path)
            assert ended.status is Status.PASS, ended.reason
        received = str(server.requests)
    with beside(echoing) as port:
        target = target_of(port)
        plan = plan_from(target, "workers", kind="websocket.session", secrets=secrets, path=f"/{token}", send=[body])
        ended = run_from(dask.url, plan, tmp_path)
        assert ended.status is Status.PASS, ended.reason
    sent = [name for name in SECRETS if "response" not in name]
    assert [name for name in sent if not found(SECRETS[name], received)] == [], "they were sent"
    texts = {name: dask.log(name) for name in ("scheduler", "w0")}
    assert all("Message from" in text for text in texts.values()), "they log what they are sent"
    texts |= pages(dask.pages)
    assert [(where, name) for where, text in texts.items() for name in SECRETS if found(SECRETS[name], text)] == []


SUITE = """
title: Secrets
checks:
  - {id: here, title: From here, kind: http.request, target: api, with: {path: "/here?token=%s"}}
  - {id: there, title: From there, kind: http.request, target: api, from: workers, with: {path: "/there?token=%s"}}
"""


def test_no_secret_is_on_stderr_where_dask_is_configured_to_log_all(dask: DaskProcesses, tmp_path: Path) -> None:
    """The process that was started reads the configuration of Dask too, and measures what no worker does."""
    for name in ("checks/lab", "profiles"):
        (tmp_path / name).mkdir(parents=True)
    query = SECRETS["of the query"]
    (tmp_path / "checks/lab/secrets.yaml").write_text(SUITE % (query, query))
    with scripted(answer) as server:
        profile = {"title": "Lab", "suites": ["lab/*"], "targets": {"api": {"url": target_of(server.port).url}}}
        (tmp_path / "profiles/lab.yaml").write_text(json.dumps(profile))
        ended = tool(tmp_path, "run", "lab", "--workers", dask.url, env=dask.variables, fork=False)
        assert sorted(request.path.partition("?")[0] for request in server.requests) == ["/here", "/there"]
    assert ended.code == 0, ended.stderr
    text = ended.stdout + ended.stderr
    assert [name for name in SECRETS if found(SECRETS[name], text)] == []


@asynccontextmanager
async def echoing() -> AsyncIterator[int]:
    """A WebSocket server that sends back what comes, on the port that it yields."""

    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    async with serve(echo, "127.0.0.1", 0) as server:
        yield next(iter(server.sockets)).getsockname()[1]


def pages(bases: tuple[str, ...]) -> dict[str, str]:
    """Every page of the scheduler and of the worker that a link, or a name of `PAGES`, leads to: url -> text."""
    texts: dict[str, str] = {}
    urls = [urljoin(base, name) for base in bases for name in PAGES]
    with httpx.Client(trust_env=False, follow_redirects=True, timeout=60) as client:
        while urls:
            url = urls.pop()
            if url in texts or not url.startswith(bases):
                continue
            response = client.get(url)
            texts[url] = response.text
            urls += (urljoin(str(response.url), link) for link in re.findall(r'href="([^"#]+)"', response.text))
    assert any("w0" in text for url, text in texts.items() if url.startswith(bases[0])), list(texts)
    return texts
