"""The options of `run`: each is a field of `RunOptions`, and stands under a heading of the help."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from tests.cli.conftest import Place
from tests.cli.process import finish, start
from xnai_validate.cli.running.options import RunOptions

HEADINGS = ("Arguments", "Stack", "Checks", "Execution", "Report", "Messages", "Comparison", "Options")


def test_the_help_has_every_option_under_a_heading() -> None:
    """Every field is in exactly one section of the help, and the sections come in the order of the fields."""
    _, text, _ = finish(start("run", "--help", COLUMNS="80"))
    assert tuple(re.findall(r"^(\w+):$", text, re.MULTILINE)) == HEADINGS
    options = [f"--{field.name.replace('_', '-')}" for field in fields(RunOptions) if field.name != "profiles"]
    assert re.findall(r"^  (?:-\w, )?(--[a-z-]+)", text, re.MULTILINE) == [*options, "--help"]


def test_each_option_reaches_the_run(place: Place) -> None:
    """A plan that all options shape: the target, the selection, the limits and the report are those named."""
    place.run("good")
    result = place.run(
        "good", "--target", f"api={place.site.url}", "--only", "site/*", "--skip-tag", "first", "--allow", "disruptive",
        "--allow-remote", "-j", "3", "--deadline", "5m", "--wait", "1s", "--path", ".", "--fail-on", "warn,flaky",
        "--dry-run", "-v", "--no-color",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert place.site.url in result.stdout
    assert "at most 3 at once" in result.stdout
    assert "within 5 min" in result.stdout
    assert "site/web:json on api, needs site/web:up" in result.stdout


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--quiet", "--verbose"), "--quiet and --verbose exclude each other"),
        (("--demo", "--stack", "s.json"), "--demo and --stack exclude each other"),
        (("--layout", "A"), "--layout configures the embedded stack; add --demo"),
        (("--defect", "x"), "--defect configures the embedded stack; add --demo"),
    ],
)
def test_options_that_exclude_each_other_are_2(place: Place, args: tuple[str, ...], message: str) -> None:
    """Such options are a usage error, before a file is read."""
    result = place.run("nosuch", *args)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


def test_in_ci_a_run_that_judged_nothing_is_undecided(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every check skipped: exit 0 by hand, 3 where CI=true, and either as it is asked for."""
    suite = "title: T\nchecks: [{id: it, title: It, kind: host.clock, target: redis}]\n"
    (place.path / "checks" / "site" / "skipped.yaml").write_text(suite)
    profile = "title: T\nsuites: [site/skipped]\ntargets: {redis: {url: 'redis://127.0.0.1:1'}}\n"
    (place.path / "profiles" / "skipped.yaml").write_text(profile)
    assert place.run("skipped").exit_code == 0
    assert place.run("skipped", "--fail-if-none").exit_code == 3
    monkeypatch.setenv("CI", "true")
    undecided = place.run("skipped")
    assert undecided.exit_code == 3
    assert "--fail-if-none (the default where CI=true)" in " ".join(undecided.stdout.split())
    assert place.run("skipped", "--pass-if-none").exit_code == 0
