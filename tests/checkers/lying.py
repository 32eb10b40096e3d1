"""A small stack with a health report that is true, or false in one of several ways.

Two components are processes of their own, so that they can be stopped; the report asks each of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from tests.serving import Quiet, serving
from xnai_validate.checkers.health._busy import GRACE_S
from xnai_validate.kit import Target

NAMES = ("llm", "cache")
PROBE_S = 0.3
PATIENCE_S = 20.0
CACHED_S = 1.0
OTHERS = {
    "others-generate": (5,),
    "generates-beside-others": (5,),
    "generates-beside-many": (5, 90, 20, 250, 60),
}
"""Manner -> the tokens that other clients generate before one reading of the counter after another, in turn."""
_COMPONENT = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers(); self.wfile.write(b"ok")
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


class Report:
    """The body of `GET /health`, in a manner."""

    def __init__(self, ports: dict[str, int], manner: str) -> None:
        self._ports, self._manner = ports, manner
        self._cached: dict[str, bool] | None = None
        self._cached_s = 0.0
        self._fell = False
        self._working = threading.Lock()
        self._asked = 0
        """Reports that were asked for."""
        self._given = 0
        """Reports that were given."""
        self.tokens = 0
        self._counted = 0
        """What reports have cost, where they cost any."""

    def work(self) -> None:
        """What keeps the stack busy for a while; some reports wait for it.

        It lasts until a report was asked for, however long that takes on a busy machine, then longer than the grace
        that the checker gives, and until no report is under way, unless that waits for the work.
        """
        with self._working:
            before = self._asked
            _await(lambda: self._asked > before)
            time.sleep(GRACE_S + 0.3)
            if self._manner != "waits-for-work":
                _await(lambda: self._asked == self._given)

    def count(self) -> int:
        """The tokens generated so far, those of other clients included."""
        others = OTHERS.get(self._manner, (0,))
        self.tokens += others[self._counted % len(others)]
        self._counted += 1
        return self.tokens

    def report(self) -> tuple[int, dict[str, object]]:
        """Status and document; one report at a time is asked for."""
        self._asked += 1
        try:
            return self._body()
        finally:
            self._given += 1

    def _body(self) -> tuple[int, dict[str, object]]:
        if self._manner == "waits-for-work":
            with self._working:
                pass
        if self._manner.startswith("generates"):
            self.tokens += 3
        components = self._components()
        well = all(components.values())
        status = "healthy" if well else "degraded"
        if self._manner == "status-always-healthy":
            status = "healthy"
        return 200 if well or self._manner != "fails-when-degraded" else 500, {
            "status": status,
            "components": components,
        }

    def _components(self) -> dict[str, bool]:
        if self._manner == "cached" and self._cached is not None:
            return self._cached
        if self._manner == "cached-a-while" and self._cached is not None:
            if time.monotonic() < self._cached_s + CACHED_S:
                return self._cached
            self._cached = None
        true = {name: _answers(port) for name, port in self._ports.items()}
        if self._cached is None:
            self._cached, self._cached_s = true, time.monotonic()
        self._fell = self._fell or not all(true.values())
        llm, cache = true["llm"], true["cache"]
        return {
            "always-green": {"llm": True, "cache": True},
            "always-red": {"llm": False, "cache": cache},
            "swapped": {"llm": cache, "cache": llm},
            "one-unprobed": {"llm": llm, "cache": True},
            "all-or-nothing": dict.fromkeys(NAMES, llm and cache),
            "never-recovers": {"llm": llm and not self._fell, "cache": cache},
            "component-missing": {"llm": llm},
        }.get(self._manner, true)


def _await(holds: Callable[[], bool]) -> None:
    """Wait until a condition holds, within a bound."""
    end = time.monotonic() + PATIENCE_S
    while not holds() and time.monotonic() < end:
        time.sleep(0.005)


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=PROBE_S):
            return True
    except OSError:
        return False


@contextmanager
def lying(manner: str) -> Iterator[dict[str, Target]]:
    """The targets `api`, `llm` and `cache` of such a stack."""
    processes: dict[str, subprocess.Popen[str]] = {}
    try:
        for name in NAMES:
            processes[name] = subprocess.Popen([sys.executable, "-c", _COMPONENT], stdout=subprocess.PIPE, text=True)
        ports = {name: int(process.stdout.readline()) for name, process in processes.items() if process.stdout}
        with serving(_telling(Report(ports, manner))) as url:
            yield {
                "api": Target("api", url),
                **{
                    name: Target(name, f"http://127.0.0.1:{ports[name]}", pid=process.pid)
                    for name, process in processes.items()
                },
            }
    finally:
        for process in processes.values():
            process.kill()
            process.wait(10)
            if process.stdout:
                process.stdout.close()


def _telling(report: Report) -> type[BaseHTTPRequestHandler]:
    class Telling(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            document: dict[str, object]
            if self.path == "/work":
                report.work()
                status, document = 200, {}
            elif self.path == "/count":
                status, document = 200, {"tokens": report.count()}
            else:
                status, document = report.report()
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Telling
