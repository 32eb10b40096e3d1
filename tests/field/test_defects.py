"""The bundled checks find the defects of the second stack, which were chosen without knowledge of the checks."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.field.defects import DEFECTS
from tests.field.running import Validated, validate

pytestmark = [pytest.mark.alone, pytest.mark.timeout(900)]

_MOST_LINES = 3
_AT_ONCE = 2
"""Stacks at a time: they mostly wait, and two leave each other the processor that their short times need."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Where a defect is looked for, and the check that names it first."""

    check: str
    profile: str
    only: tuple[str, ...]


def _in(profile: str, check: str, *only: str) -> Finding:
    """Look for a defect with all checks of the suite, or with those of `only`."""
    return Finding(check, profile, only or (f"{check.partition(':')[0]}:*",))


_ANSWERS = ("services/*", "api/*", "streaming/*")
_BREAKERS = ("breakers/open:*", "dependencies/chain:*")
FINDINGS = {
    "query-cites-without-rag": _in("phase4.1", "api/query:without-rag", *_ANSWERS),
    "query-answers-mixed": _in("phase4.2", "rag/isolation:callers"),
    "query-one-by-one": _in("phase4.1", "performance/load:side-by-side"),
    "stream-buffered": _in("phase4.1", "streaming/stream:unbuffered"),
    "stream-another-answer": _in("phase4.1", "streaming/stream:same-answer"),
    "stream-goes-on": _in("phase4.1", "streaming/cleanup:tokens-counted"),
    "resources-memory-kept": _in("phase4.1", "streaming/cleanup:no-memory-leak"),
    "resources-files-open": _in("phase4.1", "resources/stack:api-no-leak", "resources/*"),
    "health-redis-lies": _in("phase4.4", "health/truth:redis-falls", "health/*"),
    "health-status-constant": _in("phase4.4", "health/truth:status-follows", "health/*"),
    "health-key-stays": _in("phase4.4", "api/health:redis-written", "api/*"),
    "breakers-ignored-while-open": _in("phase4.1", "breakers/open:opens"),
    "breakers-refuse-without-retry-after": _in("phase4.1", "breakers/open:refusal"),
    "breakers-never-try-again": _in("phase4.1", "breakers/open:obeyed"),
    "breakers-in-memory": _in("phase4.1", "dependencies/chain:breakers-kept", *_BREAKERS),
    "redis-open-to-all": _in("phase4.1", "services/redis:password", "services/*"),
    "redis-not-used-again": _in("phase4.1", "breakers/open:obeyed-after-outage"),
    "metrics-queries-twice": _in("phase4.2", "rag/accounting:queries"),
    "metrics-label-per-request": _in("phase4.4", "api/metrics:labels-bounded"),
    "metrics-breakers-closed": _in("phase4.1", "breakers/open:gauge"),
    "errors-text-404": _in("phase4.1", "api/errors:unknown-path", "api/*"),
    "errors-ids-differ": _in("phase4.1", "api/errors:request-id", "api/*"),
    "errors-leak-exception": _in("phase4.1", "api/errors:no-leak", "api/*"),
    "gateway-buffers": _in("phase4.1", "streaming/stream:through-gateway"),
    "gateway-names-upstream": _in("phase4.3", "errors/gateway:no-details"),
    "websocket-broadcast-lost": _in("phase4.1", "api/websocket:broadcast"),
    "websocket-drops-bad-json": _in("phase4.1", "api/websocket:bad-json"),
    "websocket-keeps-the-gone": _in("phase4.1", "api/websocket:counts"),
    "recovery-ui-not-restarted": _in("phase4.3", "recovery/restart:ui"),
    "recovery-alerts-twice": _in("phase4.4", "alerts/delivery:once"),
}
_SAMPLE = ("errors-ids-differ", "gateway-buffers", "breakers-ignored-while-open", "websocket-keeps-the-gone")
"""Those that `make test` looks for: a few seconds each."""


def test_every_defect_is_looked_for() -> None:
    """The table has each defect, and the sample is of them."""
    assert FINDINGS.keys() == DEFECTS.keys()
    assert FINDINGS.keys() >= set(_SAMPLE)


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Validated]]]:
    """The runs on a stack with each defect that is looked for, by the name of the defect."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function) and item.path == request.path]
    names = [str(item.callspec.params["name"]) for item in items if hasattr(item, "callspec")]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        try:
            yield {name: pool.submit(_look_for, name, tmp_path_factory.mktemp(name)) for name in names}
        finally:
            pool.shutdown(cancel_futures=True)


def _look_for(name: str, folder: Path) -> Validated:
    """Run the checks that must find a defect."""
    where = FINDINGS[name]
    only = [option for pattern in where.only for option in ("--only", pattern)]
    return validate(DEFECTS[name].layout, where.profile, folder, *only, defect=name)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in _SAMPLE else pytest.mark.prove) for name in FINDINGS]
)
def test_a_defect_is_named(name: str, runs: dict[str, Future[Validated]]) -> None:
    """A defect is found in at most three failing lines, and the first of them names it."""
    run, report = runs[name].result()
    causes = [cause["id"] for cause in report["causes"]]
    assert causes[:1] == [FINDINGS[name].check], run.stdout + run.stderr
    assert len(causes) <= _MOST_LINES, run.stdout
