"""A rule about a fact that is always null with the params of its check is an error of the file, with what to write."""

from __future__ import annotations

import pytest

from tests.config.home import Home, error_lines
from xnai_validate import registry

LOAD = "kind: load.http, target: api, with: {arrivals: {rate: 5}"


@pytest.mark.parametrize(
    ("check", "message", "hint"),
    [
        (LOAD + "}, expect: {good_ratio: {min: 0.9}}", '"good_ratio" of load.http', 'give "objectives"'),
        (LOAD + "}, warn: {goodput_rps: {min: 1}}", '"goodput_rps" of load.http', 'give "objectives"'),
        (LOAD + "}, expect: {recorded_count: {min: 1}}", '"recorded_count" of load.http', 'give "record"'),
        (
            "kind: dns.resolve, with: {name: a.test}, expect: {stable: true}",
            '"stable" of dns.resolve',
            'give "repeat" under "with", above 1',
        ),
        (
            "kind: tcp.connect, target: api, with: {hold: 0s}, expect: {held: true}",
            '"held" of tcp.connect',
            'give "hold"',
        ),
        (
            "kind: load.search, target: api, with: {to: 9, load: {kind: load.http, with: {callers: '{{users}}'}}},"
            " expect: {highest_rate: {min: 5}}",
            '"highest_rate" of load.search',
            "judge highest_users",
        ),
        (
            "kind: load.search, target: api, expect: {highest_rate: {min: 5}}, with: {to: 9, load: {kind: load.http,"
            " with: {arrivals: {rate: '{{rate}}'}}, expect: {good_ratio: {min: 0.9}}}}",
            '"good_ratio" of load.http',
            'give "objectives"',
        ),
        (
            "kind: flow.steps, with: {steps: [{name: a, kind: file.state, with: {path: /x},"
            " capture: {v: {json: $.v}}}]}",
            '"json" of file.state',
            'give "text"',
        ),
    ],
)
def test_a_rule_that_no_value_can_hold(home: Home, check: str, message: str, hint: str) -> None:
    """`expect`, `warn`, the rules of a load that is searched, and what a step captures."""
    home.profile("title: Base\ntargets: {api: {url: http://127.0.0.1:1}}\nsuites: [case/*]\nallow: [disruptive]\n")
    home.suite(f"title: Case\nchecks:\n  - {{id: it, title: It, {check}}}\n")
    [line] = error_lines(home.problems())
    assert message in line
    assert "always null here" in line
    assert hint in line
    assert line.startswith("3: ")


@pytest.mark.parametrize(
    "check",
    [
        LOAD + ", objectives: {total_ms: 100}}, expect: {good_ratio: {min: 0.9}}",
        LOAD + "}, expect: {good_ratio: null}",
        "kind: dns.resolve, with: {name: a.test, repeat: 2}, expect: {stable: true}",
        "kind: flow.steps, with: {values: {s: 1s}, steps: [{name: a, kind: tcp.connect, target: api,"
        " with: {hold: '{{s}}'}, expect: {held: true}}]}",
    ],
)
def test_a_rule_that_a_value_can_hold(home: Home, check: str) -> None:
    """The parameter is given, or its value is known only when the step is made; null can always be expected."""
    home.profile("title: Base\ntargets: {api: {url: http://127.0.0.1:1}}\nsuites: [case/*]\nallow: [disruptive]\n")
    home.suite(f"title: Case\nchecks:\n  - {{id: it, title: It, {check}}}\n")
    assert error_lines(home.problems()) == []


def test_each_fact_needs_a_parameter_of_its_kind() -> None:
    """A misspelt name would refuse each rule about the fact."""
    wrong = []
    for kind in registry.CHECKERS.names():
        checker = registry.CHECKERS.get(kind)
        for fact, type_ in checker.types.items():
            needs = type_.needs
            if needs is not None and needs.param not in {*checker.params.model_fields, *dir(checker.params)}:
                wrong.append(f"{kind}: {fact} needs {needs.param}")
    assert wrong == []
