"""The file of durations by which shards are divided."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.history.reports import report_of_run
from xnai_validate.errors import ConfigError
from xnai_validate.history.shard_times import durations_of, read_shard_times, text_of_shard_times
from xnai_validate.model.results.report import RunReport
from xnai_validate.model.results.status import Status


def timed(number: int, took_ms: float) -> RunReport:
    """Return a run whose checks took so long."""
    report = report_of_run(number, {"b:x": Status.PASS, "a:y": Status.FAIL, "a:z": Status.SKIP, "a:e": Status.ERROR})
    checks = tuple(replace(check, began_ms=100.0, ended_ms=100.0 + took_ms) for check in report.checks)
    return replace(report, checks=checks)


def test_the_median_of_what_was_measured_in_tenths(tmp_path: Path) -> None:
    """One slow run changes no file; what was not measured has no duration; what is written is read."""
    seconds = durations_of([timed(1, 1240.0), timed(2, 90_000.0), timed(3, 1210.0)])
    assert list(seconds.items()) == [("a:y", 1.2), ("b:x", 1.2)]
    path = tmp_path / "times.json"
    path.write_text(text_of_shard_times(seconds), encoding="utf-8")
    assert read_shard_times(path) == seconds


def test_a_run_without_times_has_none() -> None:
    """A report of an earlier version, or results that a resumed run has taken over."""
    assert durations_of([report_of_run(1, {"a:x": Status.PASS})]) == {}


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"seconds": {"a:x": -1}}', '{"seconds": {"a:x": NaN}}', '{"seconds": {"a:x": 1e99}}',
     '{"seconds": {}, "more": 1}', '{"format": "xnai-validate/report/1", "seconds": {}}'],
)  # fmt: skip
def test_what_is_no_such_file_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    """And with how to write one; so is a file that is not there."""
    path = tmp_path / "times.json"
    path.write_text(text, encoding="utf-8")
    for wrong in (path, tmp_path / "absent.json"):
        with pytest.raises(ConfigError, match=wrong.name) as raised:
            read_shard_times(wrong)
        assert "--shard-times" in (raised.value.hint or "")
