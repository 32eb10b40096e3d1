"""Defects of whole processes: parts that hang, crash, or are not restarted."""

from __future__ import annotations

import os
import signal
import socket

import httpx
import pytest

from tests.eventually import eventually
from xnai_validate.demo.processes.stack import EmbeddedStack


def test_hanging_parts_accept_and_never_answer() -> None:
    """A part that hangs completes connections and is silent; the others answer."""
    hanging = ("ui", "docs", "vikunja", "voice", "gateway", "llm")
    with EmbeddedStack.start("A", tuple(f"{part}-hangs" for part in hanging)) as stack:
        for part in hanging:
            with pytest.raises(httpx.ReadTimeout):
                httpx.get(stack.description["targets"][part]["url"] + "/", timeout=httpx.Timeout(10, read=0.3))


def test_an_api_without_restart_policy_stays_away_and_its_metrics_port_is_closed() -> None:
    """After a crash the API stays away; the closed metrics port refuses from the beginning."""
    with EmbeddedStack.start("A", ("api-not-restarted", "metrics-port-closed")) as stack:
        targets = stack.description["targets"]
        metrics, api = (int(targets[name]["url"].rpartition(":")[2]) for name in ("metrics", "api"))
        assert _refused(metrics)
        assert not _refused(api)
        os.kill(targets["api"]["pid"], signal.SIGKILL)
        assert eventually(lambda: _refused(api))
        assert not eventually(lambda: not _refused(api), seconds=2.5)


def test_crash_loops_crash_again_and_again() -> None:
    """A part in a crash loop comes back each time under a new process id, only to die again."""
    with EmbeddedStack.start("A", ("api-crash-loop", "worker-crash-loop")) as stack:
        for part, lives in (("worker", 3), ("api", 2)):
            pids: set[int] = set()

            def lived(part: str = part, lives: int = lives, pids: set[int] = pids) -> bool:
                pids.add(stack.description["targets"][part].get("pid", 0))
                return len(pids - {0}) >= lives

            assert eventually(lived), part


def _refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False
