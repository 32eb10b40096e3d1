"""Waivers: files of accepted failures, which check each covers, and what is reported about them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.config.home import Home, error_lines
from xnai_validate.config.lint import lint
from xnai_validate.model.results.report import Waiver

SUITE = """
title: Mine
defaults: {target: api}
checks:
  - {id: a, title: A, kind: toy.ask, with: {path: /}}
  - {id: b, title: B, kind: toy.ask, with: {path: /}}
"""


def day(days: int) -> str:
    """The date some days from now."""
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


def entry(check: str, days: int = 30, reason: str = "known") -> str:
    """A waiver as a line of a file."""
    return f"  - {{check: '{check}', reason: {reason}, until: {day(days)}, owner: ops}}\n"


def write(home: Home, *entries: str, name: str = "profiles/waivers.yaml") -> Path:
    """Write a profile with a suite of two checks, and a file of waivers."""
    home.profile()
    home.suite(SUITE)
    return home.write(name, "waivers:\n" + "".join(entries))


def waivers(home: Home) -> dict[str, Waiver | None]:
    """The waiver of each check of the base profile."""
    return {check.id.partition(":")[2]: check.info.waiver for check in home.load().checks}


def test_the_file_beside_a_profile_covers_the_checks_that_match(home: Home) -> None:
    """A glob on full ids; reason, date, owner and place go to the report; waivers.yaml itself is not a profile."""
    write(home, entry("case/one:a"))
    found = waivers(home)
    assert found["b"] is None
    waiver = found["a"]
    assert waiver is not None
    assert (waiver.reason, waiver.until, waiver.owner, waiver.expired) == ("known", day(30), "ops", False)
    assert (waiver.source.file, waiver.source.line) == ("profiles/waivers.yaml", 2)
    assert home.problems("waivers")[0].message == 'unknown profile "waivers"'


def test_a_waiver_that_holds_goes_before_an_expired_one(home: Home) -> None:
    """It holds on its last day; the day after it has expired."""
    write(home, entry("case/*", -1, "old"), entry("case/one:a", 0, "new"))
    found = waivers(home)
    assert [(w.reason, w.expired) for w in found.values() if w] == [("new", False), ("old", True)]


def test_a_file_of_the_command_line_replaces_the_one_beside_the_profile(home: Home) -> None:
    """`--waivers FILE` is the only file that is read."""
    write(home, entry("case/one:a"))
    home.write("accepted.yml", "waivers:\n" + entry("case/one:b"))
    plan = home.load(options=replace(home.options(), waivers=Path("accepted.yml")))
    assert [check.id for check in plan.checks if check.info.waiver] == ["case/one:b"]


def test_a_waiver_that_matches_no_check_is_a_warning_of_the_run(home: Home) -> None:
    """The nearest id is named; a waiver of a check that another profile runs is none."""
    write(home, entry("case/one:c"), entry("case/two:a"))
    home.suite(SUITE, "other/suite")
    home.write("profiles/waivers.yaml", "waivers:\n" + entry("case/one:c") + entry("other/suite:b"))
    (text,) = home.load().warnings
    assert text.startswith('profiles/waivers.yaml:2: the waiver "case/one:c" matches no check; did you mean "case/one:')


def test_lint_reports_expired_and_unmatched_waivers(home: Home) -> None:
    """Neither is an error: the run decides."""
    path = write(home, entry("case/one:a", -3), entry("case/one:zz"))
    for names in ((), ("base",), (str(path), "base")):
        notices = lint(names, home.options()).notices
        assert len(notices) == 2
        assert notices[0] == f'profiles/waivers.yaml:2: the waiver "case/one:a" expired on {day(-3)}'
        assert 'the waiver "case/one:zz" matches no check' in notices[1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("waivers: [{check: a, reason: r, until: soon, owner: o}]", '"soon" is not a date; write it as 2026-12-31'),
        ("waivers: [{check: a, reason: r, until: 2026-02-30, owner: o}]", "2026-02-30 is not a day of the calendar"),
        ("waivers: [{check: a, until: 2026-12-31, owner: o}]", "reason"),
        ("waivers: [{check: a, reason: r, until: 2026-12-31}]", "owner"),
        ("waivers: [{check: a, reason: r, until: 2026-12-31, owner: o, why: x}]", "why"),
        ("- a", "a file of waivers is a mapping with `waivers`"),
    ],
)
def test_errors_have_their_place(home: Home, text: str, expected: str) -> None:
    """A file of waivers with an error ends the run before it begins, and lint reports it."""
    write(home)
    home.write("profiles/waivers.yaml", text + "\n")
    (line,) = error_lines(home.problems())
    assert line.startswith("1: ")
    assert expected in line


def test_a_waiver_of_more_than_a_year_needs_consent(home: Home) -> None:
    """It is refused with its place, unless `--long` accepts it."""
    write(home, entry("case/one:a", 400))
    (line,) = error_lines(home.problems())
    assert line == (
        "2: the waiver ends in 400 days, which is more than a year; decide again within a year, or allow it with --long"
    )
    assert home.load(options=replace(home.options(), long_waivers=True)).checks[0].info.waiver is not None
    write(home, entry("case/one:a", 365))
    assert home.load().checks[0].info.waiver is not None
