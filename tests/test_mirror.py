"""Tests lie where their source lies, so that whoever changes a file finds its test by name."""

from __future__ import annotations

from pathlib import Path

import pytest

import xnai_validate

ROOT = Path(xnai_validate.__file__).parent
TESTS = Path(__file__).parent
REGISTERED = ("checkers", "faults", "report/formats", "cli/commands")
"""Rooms in which a file is a kind, a fault, a format or a command by its name."""
TOPICS = ("docs", "e2e", "extra", "field", "packaging", "reference")
"""Rooms of tests that hold the tool, the package or another stack as a whole."""

TESTED_ELSEWHERE = {
    **dict.fromkeys(
        [f"checkers/breaker/{kind}.py" for kind in (
            "concurrent", "cycle", "forgive", "outage", "refusal", "reopen", "shared", "state", "survive",
        )],
        "checkers/breaker/test_model.py",
    ),
    "checkers/sse/streams.py": "checkers/sse/test_stream.py",
    "faults/container/pause.py": "faults/container/test_subject.py",
    "faults/redis/kill_clients.py": "faults/test_contract.py",
    "faults/redis/readonly.py": "faults/test_contract.py",
    "report/formats/terminal.py": "report/terminal/test_report.py",
}  # fmt: skip
"""Source file -> the test that holds it together with its neighbours."""

SITUATIONS = {
    "checkers/breaker/test_kinds.py": "facts of all kinds about one real breaker",
    "checkers/breaker/test_model.py": "every kind acquits the right breaker and convicts each wrong one",
    "checkers/breaker/test_reference.py": "the promises of the reference breaker itself",
    "checkers/breaker/test_run.py": "whole runs of the family",
    "checkers/http/test_openapi_hostile.py": "documents that would hang or flood a validator",
    "checkers/load/test_bounds.py": "what every kind of load keeps within bounds",
    "checkers/load/test_goodput.py": "objectives of single requests, for all kinds of load",
    "checkers/rag/test_openai.py": "all kinds of the family against an OpenAI-like server",
    "checkers/sse/test_cases.py": "streams as files of cases",
    "checkers/sse/test_disconnect.py": "clients that leave",
    "cli/test_main.py": "the program from its start to its exit code",
    "config/test_bad.py": "profiles and suites that are wrong, as files of cases",
    "demo/defects/test_processes.py": "defects of processes, by their symptoms",
    "demo/defects/test_symptoms.py": "the symptom of each defect",
    "engine/attempts/test_attempt_judging.py": "errors that are raised while facts are judged",
    "engine/test_ending.py": "runs that end early",
    "engine/test_scale.py": "runs of thousands of checks",
    "faults/test_contract.py": "what every fault promises",
    "faults/test_crash.py": "every fault, killed at every step",
    "faults/test_moved.py": "targets whose url is that of a proxy",
    "report/formats/test_every_format.py": "what every format promises",
    "report/formats/test_hostile_text.py": "hostile text in every format",
    "report/test_golden.py": "reports as files",
    "workers/test_logs.py": "what Dask logs and shows of orders with secrets",
    "wire/http/test_framings.py": "responses as files of cases",
    "wire/http/test_urls.py": "urls as files of cases",
}
"""Test file -> its topic, where that is not one source file."""


def registered() -> list[str]:
    """The files that register by their name."""
    files = [path.relative_to(ROOT) for room in REGISTERED for path in sorted((ROOT / room).rglob("*.py"))]
    return [str(file) for file in files if not any(part.startswith("_") for part in file.parts)]


def test_files_of_the_mirror_exist() -> None:
    """No list names a file that is gone."""
    assert set(TESTED_ELSEWHERE) <= set(registered())
    listed = {*TESTED_ELSEWHERE.values(), *SITUATIONS}
    assert [name for name in listed if not (TESTS / name).is_file()] == []


@pytest.mark.parametrize("file", registered())
def test_everything_that_registers_by_its_name_has_its_test(file: str) -> None:
    """`checkers/redis/ping.py` is tested in `tests/checkers/redis/test_ping.py`, or stands in `TESTED_ELSEWHERE`."""
    path = Path(file)
    own = TESTS / path.with_name(f"test_{path.name}")
    assert own.is_file() != (file in TESTED_ELSEWHERE)


@pytest.mark.parametrize("path", sorted(TESTS.rglob("test_*.py")), ids=lambda path: str(path.relative_to(TESTS)))
def test_a_test_lies_where_its_source_lies(path: Path) -> None:
    """The test of `kit/params.py` is `tests/kit/test_params.py`; one about a situation stands in `SITUATIONS`."""
    file = path.relative_to(TESTS)
    name = file.name.removeprefix("test_")
    if file.parts[0] in TOPICS or (len(file.parts) == 1 and not (ROOT / name).is_file()):
        return
    has_source = any((ROOT / file.with_name(prefix + name)).is_file() for prefix in ("", "_"))
    assert has_source != (str(file) in SITUATIONS)
