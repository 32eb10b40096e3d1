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
