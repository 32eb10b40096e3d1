"""A check with a matrix is one check for each value, with ids that are read and selected as they are written."""

from __future__ import annotations

import pytest

from tests.config.home import Home, error_lines
from xnai_validate.config.compile.selection.id_globs import id_pattern

PROFILE = """
title: Base
suites: [own/one]
targets:
  api: {url: "http://127.0.0.1:1"}
  store: {url: "redis://127.0.0.1:2"}
vars: {queues: [orders, "late mails"]}
"""
SUITE = """
title: One
checks:
  - id: depth
    title: The queue is short.
    matrix: {queue: "${queues}", most: [1, 2]}
    kind: toy.load
    target: api
    with: {}
    expect: {load: {max: "${matrix.most}"}}
  - id: ping
    title: It answers.
    matrix: {target: [api, store]}
    kind: toy.load
    expect: {load: {max: 7}}
  - {id: last, title: The last one., kind: toy.load, target: api, needs: "ping[store]", expect: {load: {max: 8}}}
"""


def test_each_combination_is_a_check(home: Home) -> None:
    """Values come from the file or from vars, keep their type, and name the target where the list is called so."""
    home.write("checks/own/one.yaml", SUITE)
    home.profile(PROFILE)
    plan = home.load()
    assert {check.id: check.measurement.rules[0].operand for check in plan.checks} == {
        "own/one:depth[orders,1]": 1,
        "own/one:depth[orders,2]": 2,
        "own/one:depth[late-mails,1]": 1,
        "own/one:depth[late-mails,2]": 2,
        "own/one:ping[api]": 7,
        "own/one:ping[store]": 7,
        "own/one:last": 8,
    }
    by_id = {check.id: check for check in plan.checks}
    assert by_id["own/one:ping[store]"].info.target == "store"
    assert by_id["own/one:last"].needs == ("own/one:ping[store]",)
    lines = {
        check.info.source.line for check in plan.checks if check.id.startswith("own/one:depth") and check.info.source
    }
    assert len(lines) == 1


def test_such_checks_are_selected_by_their_ids_and_by_globs(home: Home) -> None:
    """Brackets in a glob stand for themselves, and for a choice of letters where that matches."""
    home.write("checks/own/one.yaml", SUITE)
    home.profile(PROFILE)
    assert [check.id for check in home.load(options=home.options(only=("own/one:ping[api]",))).checks] == [
        "own/one:ping[api]"
    ]
    assert len(home.load(options=home.options(only=("own/one:depth*",))).checks) == 4
    assert id_pattern("a/b:c[12]").match("a/b:c1")
    assert id_pattern("a/b:c[12]").match("a/b:c[12]")
    assert not id_pattern("a/b:c[12]").match("a/b:c3")


@pytest.mark.parametrize(
    ("matrix", "why"),
    [
        ("{}", "up to three names"),
        ("{queue: []}", "up to three names"),
        ("{queue: orders}", "up to three names"),
        ("{a: [1], b: [1], c: [1], d: [1]}", "up to three names"),
        ("{Queue: [orders]}", "up to three names"),
        ("{queue: [{a: 1}]}", "up to three names"),
        ("{a: [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15], b: [1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]}", "more than 200"),
        ("{queue: [a, a]}", "twice"),
        ("{target: [api, gone]}", 'unknown target "gone"'),
    ],
)
def test_a_matrix_that_makes_no_sense_is_refused(home: Home, matrix: str, why: str) -> None:
    """The error is at the place of the matrix, or of the check."""
    check = f"  - {{id: x, title: X, kind: toy.load, matrix: {matrix}, expect: {{load: {{max: 1}}}}}}\n"
    home.write("checks/own/one.yaml", f"title: One\ndefaults: {{target: api}}\nchecks:\n{check}")
    home.profile(PROFILE)
    assert why in "\n".join(error_lines(home.problems()))
