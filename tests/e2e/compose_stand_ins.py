"""Stand-ins for the services of a compose project: the engine's list of its containers, and servers at its ports."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from tests.checkers.container_api import Answer, Engine, served
from tests.checkers.redis_process import PASSWORD, redis_server
from tests.e2e.recipe_stubs import BANNERS, HEALTHY, HTML, Response, http_stub, tcp_stub


class Containers(Engine):
    """An engine whose containers all run and are healthy, but for those that ended or are stopped."""

    request_queue_size = 128
    """A connection beyond it would be refused; engines allow for more."""

    def __init__(self, path: Path, completed: set[str], open_ports: bool = False) -> None:
        self.completed = completed
        self.stopped: set[str] = set()
        self.open_ports = open_ports
        super().__init__(path)

    def answer(self, route: str, query: str) -> Answer:
        """The list of a service's containers, or one container by its name or id."""
        if route == "GET /containers/json":
            labels = json.loads(parse_qs(query)["filters"][0])["label"]
            service = labels[1].partition("=")[2]
            state = "exited" if service in self.stopped | self.completed else "running"
            found = [
                {"Id": service, "State": state, "Labels": {"com.docker.compose.container-number": str(n)}}
                for n in "123"
            ]
            return 200, json.dumps(found).encode()
        match = re.fullmatch(r"GET /containers/([^/]+)/json", route)
        return (200, json.dumps(self._inspection(match[1])).encode()) if match else (404, b'{"message":"no"}')

    def _inspection(self, service: str) -> dict[str, Any]:
        runs = service not in self.stopped | self.completed
        state = {
            "Status": "running" if runs else "exited",
            "Running": runs,
            "OOMKilled": False,
            "ExitCode": 137 if service in self.stopped else 0,
            "Pid": 0,
            "StartedAt": "2026-11-01T00:00:00Z",
            "Health": {"Status": "healthy" if runs else "unhealthy", "FailingStreak": 0},
        }
        address = "0.0.0.0" if self.open_ports else "127.0.0.1"
        ports = {f"{port}/tcp": [{"HostIp": address, "HostPort": str(port)}] for port in PORTS}
        return {"Id": service, "State": state, "RestartCount": 0, "NetworkSettings": {"Ports": ports, "Networks": {}}}


PORTS = {3306, 5432, 6379, 8123, 9000, 9200}
"""Ports of data stores in the projects."""


@contextmanager
def stand_ins(home: Path, completed: set[str]) -> Iterator[tuple[Containers, dict[str, str]]]:
    """Servers at the ports of the profile in `home`, whose files are led to them; yields the engine and variables."""
    (profile_path,) = (home / "profiles").glob("*.yaml")
    profile = yaml.safe_load(profile_path.read_text(encoding="utf-8"))
    recipes = {use["target"]: use["recipe"] for use in profile["suites"] if isinstance(use, dict)}
    moved: dict[int, int] = {}
    variables: dict[str, str] = {}
    with ExitStack() as running:
        for name, target in profile["targets"].items():
            url = target.get("url")
            if url is None:
                continue
            scheme, port = urlsplit(url).scheme, urlsplit(url).port or 0
            if scheme == "redis":
                server, _ = running.enter_context(redis_server("--maxmemory", "64mb"))
                moved[port] = server.port or 0
                variables[target["password_env"]] = PASSWORD
            elif scheme == "http":
                routes: dict[str, Response] = {"*": HTML, **HEALTHY.get(recipes.get(name, ""), {})}
                moved[port] = int(running.enter_context(http_stub(routes)).rpartition(":")[2])
            else:
                banner = BANNERS.get(recipes.get(name, ""), b"")
                moved[port] = int(running.enter_context(tcp_stub(banner)).rpartition(":")[2])
        for path in [profile_path, *(home / "checks").rglob("*.yaml")]:
            text = path.read_text(encoding="utf-8")
            for port in {int(found) for found in re.findall(r"port: (\d+)}", text)} - set(moved):
                moved[port] = int(running.enter_context(tcp_stub(b"")).rpartition(":")[2])
            text = text.replace("[::1]:", "127.0.0.1:")
            text = re.sub(
                r"(127\.0\.0\.1:|port: )(\d+)(?=[^\d:])", lambda found: f"{found[1]}{moved[int(found[2])]}", text
            )
            path.write_text(text, encoding="utf-8")
        engine = running.enter_context(served(Containers(home / "engine.sock", completed)))
        yield engine, {**variables, "DOCKER_HOST": f"unix://{engine.path}"}
