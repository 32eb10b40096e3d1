"""`redis.command`."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.checkers.redis.conftest import Server
from tests.context import observe
from tests.eventually import eventually
from tests.ports import free_port
from xnai_validate.demo.processes.redis_server import find_server
from xnai_validate.kit import Target


def test_command_gives_the_reply_or_the_error(server: Server) -> None:
    """Replies of every type come as JSON; an error of the server is a fact of its own."""
    target, client = server
    client.set("name", "wert ü")
    client.rpush("list", "a", "b")
    assert observe("redis.command", target, command=["GET", "name"]).facts["reply"] == "wert ü"
    assert observe("redis.command", target, command=["LRANGE", "list", 0, -1]).facts["reply"] == ["a", "b"]
    assert observe("redis.command", target, command=["GET", "none"]).facts["reply"] is None
    wrong = observe("redis.command", target, command=["INCR", "list"])
    assert not wrong.held
    assert (wrong.facts["error"], wrong.facts["reply_error_code"]) == (None, "WRONGTYPE")
    other = observe("redis.command", target, command=["DBSIZE"], db=5).facts
    assert (other["reply"], other["total_ms"] > 0) == (0, True)
    few = observe("redis.command", target, command=["DBSIZE"], db=99).facts
    assert (few["error"], "out of range" in few["error_detail"]) == ("protocol", True)


def test_command_does_not_leak_into_other_checks(server: Server) -> None:
    """A command that changes its connection does so on one of its own."""
    target, client = server
    client.set("here", "1")
    assert observe("redis.command", target, command=["SELECT", 3]).facts["reply"] == "OK"
    assert observe("redis.key", target, key="here").facts["exists"] is True


def test_a_sentinel_is_asked_as_any_server(tmp_path: Path) -> None:
    """It answers its own commands, and PING; whom it watches is in its reply."""
    port = free_port()
    settings = tmp_path / "sentinel.conf"
    settings.write_text(f"port {port}\nbind 127.0.0.1\ndir {tmp_path}\nsentinel monitor main 127.0.0.1 1 1\n")
    with subprocess.Popen([find_server(), str(settings), "--sentinel"], stdout=subprocess.DEVNULL) as process:
        try:
            target = Target("sentinel", f"redis://127.0.0.1:{port}")
            assert eventually(lambda: observe("redis.ping", target).facts["error"] is None)
            seen = observe("redis.command", target, command=["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"])
        finally:
            process.kill()
    assert seen.facts["reply"] == ["127.0.0.1", "1"]
