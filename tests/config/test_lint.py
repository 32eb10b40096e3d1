"""`lint`: profiles and suites are validated without a run, each error once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.config.home import Home, error_lines
from xnai_validate.config.lint import Linted, lint
from xnai_validate.model.source_location import InvalidConfig

SUITE = """
title: Mine
covers: KG-1
defaults: {target: api, tags: all, fix: Mend}
checks:
  - {id: a, title: A, kind: toy.ask, with: {path: /}, covers: [KG-2]}
  - {id: b, title: B, kind: toy.load, expect: {load: {max: 3}}, needs: [a]}
"""


def test_lint_verifies_suites_and_profiles_by_name_and_path(home: Home) -> None:
    """A suite is verified under the base profile, wherever it lies."""
    path = home.suite(SUITE, "own/mine")
    home.profile("title: P\nextends: stack\nsuites: [own/mine]\n", "mine")
    assert lint((str(path),), home.options()) == Linted(0, 1, 2)
    assert lint(("own/mine",), home.options()) == Linted(0, 1, 2)
    assert lint(("mine",), home.options()) == Linted(1, 1, 2)
    elsewhere = home.path / "a/b"
    elsewhere.mkdir(parents=True)
    assert lint((str(path),), replace(home.options(), cwd=elsewhere)) == Linted(0, 1, 2)


def test_lint_reports_all_errors_once(home: Home) -> None:
    """What a suite and a profile that runs it have wrong is reported once."""
    home.suite(SUITE.replace("toy.load", "toy.laod"), "own/mine")
    home.profile("title: P\nextends: stack\nsuites: [own/mine]\n", "mine")
    with pytest.raises(InvalidConfig) as error:
        lint(("own/mine", "mine"), home.options())
    assert error_lines(error.value.problems) == ['7: unknown kind of check "toy.laod"; did you mean "toy.load"?']


EXPERIMENT = """
title: Mine
defaults: {{target: api}}
checks:
  - id: outage
    title: It comes back
    kind: experiment.run
    {timeout}
    with:
      disturb: [{{fault: process.pause, target: api}}]
      probe: {{kind: http.request, with: {{path: /, timeout: 1s}}}}
      hold: {hold}
      recover: 10s
"""


@pytest.mark.parametrize(
    ("hold", "timeout", "limits", "message"),
    [
        ("11m", "", "", "5: own/mine:outage keeps process.pause in force for up to 11 min 00 s, and it is reverted"),
        ("8s", "timeout: 15s", "", "5: own/mine:outage waits for up to 20.30 s, and its time limit is 15.00 s"),
        (
            "2m",
            "",
            "limits: {deadline: 1m}",
            "-: mine: the checks take about 2 min 01 s, and the deadline is 1 min 00 s",
        ),
        (
            "1s",
            "",
            "limits: {deadline: 20s}",
            "-: mine: the time limit of own/mine:outage is 49.00 s, and the",
        ),
    ],
)
def test_lint_refuses_times_that_do_not_fit(home: Home, hold: str, timeout: str, limits: str, message: str) -> None:
    """A hold, a wait, a time limit or a deadline that another time cuts short is an error, with both times."""
    home.suite(EXPERIMENT.format(hold=hold, timeout=timeout), "own/mine")
    home.profile(f"title: P\nextends: stack\nsuites: [own/mine]\n{limits}\n", "mine")
    with pytest.raises(InvalidConfig) as error:
        lint(("mine",), home.options())
    assert any(line.startswith(message) for line in error_lines(error.value.problems)), error.value


def test_lint_accepts_times_that_fit(home: Home) -> None:
    """A time limit that follows from the waits, and a deadline that leaves room, are right."""
    home.suite(EXPERIMENT.format(hold="2m", timeout=""), "own/mine")
    home.profile("title: P\nextends: stack\nsuites: [own/mine]\nlimits: {deadline: 5m}\n", "mine")
    assert lint(("mine",), home.options()) == Linted(1, 1, 1)
