"""The log of a target that fails, as evidence: of which failures, of which target, and once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.checkers.container_api import container_api
from xnai_validate.engine.attempts.outcome import Outcome
from xnai_validate.engine.attempts.shown_logs import ShownLogs
from xnai_validate.kit import Target
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.exchange import Exchange
from xnai_validate.model.results.status import Status

BROKEN = Exchange(protocol="http", request="GET http://127.0.0.1:8000/x", response="500 Internal Server Error")
SILENT = Exchange(protocol="http", request="GET http://127.0.0.1:8000/x", failure="no response: timeout after 1 s")
LOAD = replace(BROKEN, response="200 (4 of 5)", failure="1 without a whole answer (reset 1)", load_count=5)


@pytest.fixture
def api(tmp_path: Path) -> Target:
    """A target whose process writes a log."""
    log = tmp_path / "api.log"
    log.write_text("ready\nValueError: no index\n", encoding="utf-8")
    return Target("api", "http://127.0.0.1:8000/api/v1", log=str(log))


def failed(*exchanges: Exchange, status: Status = Status.FAIL, facts: JsonObject | None = None) -> Outcome:
    return Outcome(status, "no", exchanges=exchanges, facts=facts or {})


def logs_beside(outcome: Outcome, own: Target | None, *others: Target, shown: ShownLogs | None = None) -> list[str]:
    """What is added to the exchanges of an outcome: the texts of logs."""
    targets = {target.name: target for target in (*((own,) if own else ()), *others)}
    result = asyncio.run((shown or ShownLogs()).beside(outcome, own, targets))
    assert result.exchanges[: len(outcome.exchanges)] == outcome.exchanges
    return [exchange.response_body or "" for exchange in result.exchanges[len(outcome.exchanges) :]]


@pytest.mark.parametrize(
    ("outcome", "is_shown"),
    [
        (failed(BROKEN), True),
        (failed(SILENT), True),
        (failed(SILENT, status=Status.ERROR), True),
        (failed(BROKEN, status=Status.WARN), True),
        (failed(facts={"error": "refused"}), True),
        (failed(replace(BROKEN, response="404 Not Found")), False),
        (failed(BROKEN, status=Status.PASS), False),
        (failed(BROKEN, status=Status.SKIP), False),
        (failed(facts={"error_kinds": {"refused": 3}}), True),
        (failed(LOAD), True),
        (failed(replace(LOAD, failure=None, response="503 (5 of 5)")), True),
        (failed(replace(LOAD, failure=None)), False),
        (failed(facts={"error_kinds": {"status": 3}}), False),
        (failed(facts={"error": "tls"}), False),
        (failed(), False),
        (failed(BROKEN, Exchange(protocol="container", request="api", response_body="x")), False),
    ],
)
def test_an_error_of_the_server_and_silence_are_explained(outcome: Outcome, is_shown: bool, api: Target) -> None:
    """A response of 500 or more, none at all, a refused connection; not a wrong answer, about which a log is silent."""
    assert logs_beside(outcome, api) == (["ready\nValueError: no index"] if is_shown else [])


def test_a_log_is_shown_once_in_a_run(api: Target) -> None:
    """Twenty failures of one target repeat its log twenty times otherwise; that of another target is another."""
    shown = ShownLogs()
    assert len(logs_beside(failed(BROKEN), api, shown=shown)) == 1
    assert logs_beside(failed(BROKEN), api, shown=shown) == []
    other = replace(api, name="docs", log=str(Path(api.log or "").with_name("docs.log")))
    Path(other.log or "").write_text("other\n", encoding="utf-8")
    assert logs_beside(failed(BROKEN), other, shown=shown) == ["other"]


def test_the_log_is_that_of_the_target_that_was_asked(api: Target) -> None:
    """A check of no target, or of another one, asks the API: its log explains the answer."""
    gateway = Target("gateway", "http://user@127.0.0.1:9000", log=api.log)
    assert len(logs_beside(failed(BROKEN), None, gateway, api)) == 1
    assert logs_beside(failed(BROKEN), gateway) == []


def test_the_log_of_a_container_is_asked_of_its_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last lines; without an engine, or without such a container, the failure stays as it is."""
    target = Target("api", "http://127.0.0.1:8000", container="shop_api")
    with container_api(tmp_path / "engine.sock") as engine:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{engine.path}")
        engine.give(
            "GET /containers/shop_api/json", {"Id": "a" * 64, "State": {"Running": True}, "Config": {"Tty": True}}
        )
        engine.give("GET /containers/shop_api/logs", b"OOM\nKilled\n")
        assert logs_beside(failed(BROKEN), target) == ["OOM\nKilled"]
        assert logs_beside(failed(BROKEN), replace(target, container="gone")) == []
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    assert logs_beside(failed(BROKEN), target) == []
