"""The bundled checks find nothing wrong with a healthy stack of another make."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.field.running import Validated, validate

pytestmark = pytest.mark.alone  # the times of a twentieth are short


@pytest.fixture(scope="module")
def preflights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[Validated]]]:
    """The run of preflight on each layout, both at once: they mostly wait."""
    with ThreadPoolExecutor() as pool:
        yield {name: pool.submit(validate, name, "preflight", tmp_path_factory.mktemp(name)) for name in ("A", "B")}


@pytest.mark.parametrize("layout", ["A", "B"])
def test_a_healthy_stack_passes_preflight(layout: str, preflights: dict[str, Future[Validated]]) -> None:
    """No check fails, is flaky or cannot be judged, and no criterion is missed."""
    _hold_healthy(preflights[layout].result())


@pytest.mark.prove
@pytest.mark.timeout(1300)
@pytest.mark.parametrize("layout", ["A", "B"])
@pytest.mark.parametrize("profile", [f"phase4.{number}" for number in range(1, 5)])
def test_a_healthy_stack_passes(layout: str, profile: str, tmp_path: Path) -> None:
    """No check fails, is flaky or cannot be judged, every fault is undone, and no criterion is missed."""
    _hold_healthy(validate(layout, profile, tmp_path))


def _hold_healthy(validated: Validated) -> None:
    """Hold a run on a healthy stack to a report without a complaint, and to exit code 0."""
    run, report = validated
    reasons = [
        f"{check['status']} {check['id']}: {check['reason']}"
        for check in report["checks"]
        if check["status"] in {"fail", "error", "flaky"}
    ]
    reasons += [f"criterion {entry['name']}" for entry in report["criteria"] if entry["met"] is False]
    assert (reasons, run.returncode) == ([], 0), run.stdout + run.stderr
