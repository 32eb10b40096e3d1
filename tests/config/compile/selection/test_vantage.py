"""From where checks are measured: what a check, a suite and a profile name, and what cannot be sent to workers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.config.home import BASE, Home, allowing, error_lines
from xnai_validate.plan import Plan

REQUEST = "kind: http.request\ntarget: api\nexpect: {status: 200}\n"
FILE = "kind: file.state\nwith: {path: a.txt}\n"
SKIPPED = (
    "the check is measured from workers ({}); give them with --workers tcp://HOST:8786, tls://HOST:8786 or local:N"
)


def planned(home: Home, check: str, *, workers: bool = True) -> Plan:
    """The plan of one check."""
    return home.plan_of_check(check, options=replace(home.options(), workers=workers))


@pytest.mark.parametrize(
    ("written", "places"),
    [("workers", ("workers",)), ("[edge, inside, edge]", ("edge", "inside")), ("[local, edge]", ("local", "edge")),
     ("local", ())],
)  # fmt: skip
def test_a_check_names_its_places(home: Home, written: str, places: tuple[str, ...]) -> None:
    """One name or several, each once; `local` alone is what every check is."""
    (check,) = planned(home, f"{REQUEST}from: {written}").checks
    assert (check.vantage, check.skip) == (places, None)


def test_without_workers_it_is_skipped_or_measured_here(home: Home) -> None:
    """The reason has how to give workers; what names `local` too is measured here, and every report shows that."""
    (check,) = planned(home, f"{REQUEST}from: [edge, inside]", workers=False).checks
    assert check.skip == SKIPPED.format("edge, inside")
    plan = planned(home, f"{REQUEST}from: [local, edge]", workers=False)
    assert plan.checks[0].skip is None
    assert plan.warnings == ("case/one:it: measured from here alone; give the workers of `from` with --workers",)
    assert planned(home, f"{REQUEST}from: [local, edge]").warnings == ()


def test_a_default_holds_for_what_can_be_sent(home: Home) -> None:
    """That of the suite outranks that of the profile, the check outranks both; other kinds are measured here."""
    home.profile(BASE + "defaults: {from: workers}\n")
    check = "  - {{id: {}, title: It, kind: {}, target: api, with: {{{}}}, {}}}\n"
    rows = [
        check.format("sent", "tcp.connect", "", "timeout: 5s"),
        check.format("here", "tcp.connect", "", "from: local"),
        check.format("file", "file.state", "path: a.txt", "timeout: 5s"),
        check.format("breaks", "tcp.connect", "", "disruptive: true"),
    ]
    home.suite("title: One\nchecks:\n" + "".join(rows))
    home.suite("title: Two\ndefaults: {from: edge}\nchecks:\n" + rows[0], "case/two")
    options = replace(allowing(home.options(), "disruptive"), workers=True)
    assert {check.id: check.vantage for check in home.load(options=options).checks} == {
        "case/one:sent": ("workers",),
        "case/one:here": (),
        "case/one:file": (),
        "case/one:breaks": (),
        "case/two:sent": ("edge",),
    }


@pytest.mark.parametrize(
    ("check", "why"),
    [
        (FILE, "file.state needs this host, other targets, or what checks of this process share"),
        ("kind: load.http\ntarget: api\nwith: {callers: 1, for: 1s}\nexpect: {error_count: 0}\n",
         "load.http needs this host, other targets, or what checks of this process share"),
        (f"{REQUEST}disruptive: true\n", "it disturbs the stack"),
        (f"{REQUEST}under: [{{fault: redis.pause, target: store}}]\n", "it disturbs the stack"),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_is_refused(home: Home, check: str, why: str) -> None:
    """An error of the suite at the key, before anything runs, with and without workers."""
    home.profile()
    body = "".join(f"    {line}\n" for line in f"{check}from: workers".splitlines())
    home.suite(f"title: One\nchecks:\n  - id: it\n    title: It\n{body}")
    for workers in (True, False):
        (line,) = error_lines(home.problems(options=replace(home.options(), workers=workers)))
        hint = "leave `from` out: it is measured by this process"
        assert line.partition(": ")[2] == f"the check cannot be measured from workers: {why}; {hint}"


def test_a_target_that_keeps_cookies_is_measured_here(home: Home) -> None:
    """Cookies of other checks are in this process."""
    home.profile(BASE.replace('"http://127.0.0.1:1/base"', '"http://127.0.0.1:1/base", cookies: keep'))
    home.suite("title: One\nchecks:\n  - {id: it, title: It, kind: http.request, target: api, from: workers}\n")
    (problem,) = home.problems()
    assert problem.message.endswith("api keeps cookies, which this process holds")


def test_places_are_a_name_or_a_list_of_names(home: Home) -> None:
    """An empty list and other values are errors."""
    home.profile()
    for written in ("[]", "[1]", "{a: 1}"):
        home.suite(f"title: One\nchecks:\n  - {{id: it, title: It, kind: tcp.connect, target: api, from: {written}}}\n")
        assert len(home.problems()) == 1
