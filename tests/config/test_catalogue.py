"""Lists show what is there without importing a checker; explain and lint verify."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.config.home import Home
from xnai_validate.config.catalogue import catalogue
from xnai_validate.config.lint import Linted, lint
from xnai_validate.config.one_check import plan_check
from xnai_validate.config.options import LoadOptions
from xnai_validate.errors import ConfigError
from xnai_validate.model.source_location import InvalidConfig

SUITE = """
title: Mine
covers: KG-1
defaults: {target: api, tags: all, fix: Mend}
checks:
  - {id: a, title: A, kind: toy.ask, with: {path: /}, covers: [KG-2]}
  - {id: b, title: B, kind: toy.load, expect: {load: {max: 3}}, needs: [a]}
"""


def test_lists_show_what_is_written(home: Home) -> None:
    """Profiles, suites and checks within reach, own and bundled."""
    home.suite(SUITE, "own/mine")
    home.profile()
    found = catalogue(home.options())
    base = next(profile for profile in found.profiles if profile.name == "base")
    assert (base.title, base.suites, base.bundled) == ("Base", ("case/*",), False)
    assert any(profile.name == "stack" and profile.bundled for profile in found.profiles)
    mine = next(suite for suite in found.suites if suite.name == "own/mine")
    assert (mine.title, mine.category, mine.file) == ("Mine", "own", "checks/own/mine.yaml")
    check = next(check for check in found.checks if check.id == "own/mine:a")
    assert (check.title, check.kind, check.target, check.fix) == ("A", "toy.ask", "api", "Mend")
    assert (check.covers, check.tags, check.line) == (("KG-1", "KG-2"), ("all",), 6)


def test_a_check_is_explained_with_its_rules(home: Home) -> None:
    """All rules that will judge it, under the base profile; an unknown id is reported with the nearest."""
    home.suite(SUITE, "own/mine")
    found = catalogue(home.options())
    check, _ = plan_check("own/mine:a", found)
    assert [(rule.fact, rule.operand) for rule in check.measurement.rules] == [("error", None), ("status", 200)]
    assert plan_check("own/mine:b", found)[0].needs == ("own/mine:a",)
    with pytest.raises(ConfigError) as error:
        plan_check("own/mine:c", found)
    assert error.value.hint is not None
    assert "own/mine:" in error.value.hint


def test_a_suite_is_verified_under_the_profile_that_runs_it(home: Home) -> None:
    """A stack of one's own has targets of its own, which only its profile knows."""
    path = home.suite(
        "title: W\nchecks:\n  - {id: a, title: A, kind: toy.ask, target: web, with: {path: /}}\n", "own/web"
    )
    home.profile('title: P\ntargets: {web: {url: "http://127.0.0.1:1"}}\nsuites: [own/*]\n', "mine")
    assert lint((str(path),), home.options()) == Linted(0, 1, 1)
    assert lint((), home.options()).suites > 1
    home.suite("title: V\nchecks: [{id: a}]\n", "own/other")
    assert lint((str(path),), home.options()) == Linted(0, 1, 1), "errors of its neighbours are not its own"
    assert plan_check("own/web:a", catalogue(home.options()))[0].id == "own/web:a"


def test_a_suite_whose_profile_is_no_yaml_is_verified_all_the_same(home: Home) -> None:
    """The error of the profile is reported, and those of the suite."""
    home.suite(SUITE.replace("toy.load", "toy.laod"), "own/mine")
    home.profile("title: [\n", "mine")
    with pytest.raises(InvalidConfig) as error:
        lint(("own/mine",), home.options())
    assert {problem.place.file for problem in error.value.problems if problem.place} == {
        "profiles/mine.yaml",
        "checks/own/mine.yaml",
    }


def test_phase_4_runs_every_bundled_suite_and_no_other(home: Home) -> None:
    """Suites of one's own beside it do not slip into it, where nothing knows their targets."""
    home.suite("title: W\nchecks:\n  - {id: a, title: A, kind: toy.ask, target: web, with: {path: /}}\n", "own/web")
    plan = home.load("phase4")
    bundled = {suite.name for suite in catalogue(home.options()).suites if suite.bundled}
    assert {check.id.partition(":")[0] for check in plan.checks} == bundled


def test_a_stack_file_beside_the_suites_is_no_profile(home: Home) -> None:
    """`init` writes `stack.yaml` into the current directory, which is then not taken for the profile of that name."""
    path = home.suite(SUITE, "own/mine")
    home.write("stack.yaml", "targets: {api: {url: 'http://127.0.0.1:1'}}\n")
    assert lint((str(path),), home.options()) == Linted(0, 1, 2)


def test_listing_imports_no_checker() -> None:
    """A list is quick: neither a family of checkers nor its libraries are imported for it."""
    code = (
        "import sys; from xnai_validate.config.catalogue import catalogue; c = catalogue(); c.profiles, c.suites;"
        "print([m for m in sys.modules if m.startswith(('xnai_validate.checkers.', 'httpx', 'redis', 'psutil'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_defaults_of_options_search_the_current_directory() -> None:
    """Without options, the working directory and the bundled data are searched, with the process's environment."""
    assert LoadOptions().cwd.is_dir()
    assert "PATH" in LoadOptions().environ
