"""Vars in a file of their own are found as suites are, and are not taken for a suite."""

from __future__ import annotations

from dataclasses import replace

from tests.config.home import BASE, Home, error_lines
from xnai_validate.config.catalogue import catalogue
from xnai_validate.config.lint import Linted, lint

PROFILE = f"{BASE}\nvars_files: [case/questions]\n"
QUESTIONS = """
title: Ours
vars: {questions: [{ask: When?, expect: soon}], layout: X, budget: {calls: 3}}
"""
SUITE = """
title: S
checks: [{id: a, title: A, kind: toy.ask, target: api, with: {path: "/${questions.0.ask}"}}]
"""


def test_a_profile_takes_over_the_vars_of_a_file(home: Home) -> None:
    """They are there for checks; the vars of the profile override them, and the rest is merged."""
    home.profile(PROFILE)
    home.write("checks/case/questions.yaml", QUESTIONS)
    home.suite(SUITE)
    plan = home.load("base")
    assert plan.vars["layout"] == "A"
    assert plan.vars["budget"] == {"ms": 200, "calls": 3}
    (check,) = plan.checks
    assert getattr(check.measurement.params, "path", None) == "/When?"
    assert home.load("base", options=home.options(vars={"questions.0.expect": "now"})).vars["questions"] == [
        {"ask": "When?", "expect": "now"}
    ]


def test_the_canaries_are_replaced_by_a_file_of_that_name(home: Home) -> None:
    """One's own checks/rag/canaries.yaml is taken instead of the bundled one, which is reported."""
    canaries = [{"question": f"Q{number}?", "expect": "E", "source": "s", "document": "d"} for number in range(2)]
    before = home.load("phase4.2")
    home.write("checks/rag/canaries.yaml", f"vars: {{canaries: {canaries}}}\n")
    plan = home.load("phase4.2")
    assert before.vars["canaries"] != plan.vars["canaries"] == canaries
    replaced = "the suite rag/canaries is that of checks/rag/canaries.yaml, not the bundled one"
    assert sorted(plan.notices) == sorted((replaced, *before.notices))


def test_it_is_not_taken_for_a_suite(home: Home) -> None:
    """Globs, lists and lint leave it out of the suites; named as one, it is an error."""
    home.profile(PROFILE)
    path = home.write("checks/case/questions.yaml", QUESTIONS)
    home.suite(SUITE)
    assert [check.id for check in home.load("base").checks] == ["case/one:a"]
    assert "case/questions" not in [suite.name for suite in catalogue(home.options()).suites]
    assert lint((str(path),), replace(home.options(), cwd=home.path)) == Linted(0, 0, 0)
    home.profile(PROFILE.replace("case/*", "case/questions"))
    assert "3: case/questions has vars, not checks; name it under `vars_files`" in error_lines(home.problems("base"))


def test_a_broken_suite_is_reported_alone(home: Home) -> None:
    """The errors that follow from its lack are left out: the hundred places where its vars are used."""
    home.profile(PROFILE)
    home.suite(SUITE)
    for text, message in {
        "varz: {}\n": 'a file of vars needs "vars"',
        "vars: [1]\n": "vars takes a mapping, not a list",
        "vars: {a: 1}\nmore: 1\n": 'unknown key "more" of a file of vars',
        "- 1\n": "a file of vars is a mapping with `vars`",
    }.items():
        home.write("checks/case/questions.yaml", text)
        found = home.problems("base")
        assert message in found[0].message
        assert {problem.place.file for problem in found if problem.place} == {"checks/case/questions.yaml"}
    (home.path / "checks/case/questions.yaml").unlink()
    assert error_lines(home.problems("base")) == ['10: unknown file of vars "case/questions"; did you mean "case/one"?']


def test_an_error_in_many_places_is_reported_once(home: Home) -> None:
    """The first place stands for all, with their number; a few are reported one by one."""
    checks = [
        f'{{id: c{number}, title: C, kind: toy.ask, target: api, with: {{path: "${{nowhere}}"}}}}'
        for number in range(9)
    ]
    home.profile()
    for count in (5, 9):
        home.suite("title: S\nchecks:\n" + "".join(f"  - {check}\n" for check in checks[:count]))
        found = error_lines(home.problems("base"))
        assert len(found) == (5 if count == 5 else 1)
        assert ("(the first of 9 places)" in found[0]) == (count == 9)
        assert found[0].startswith("3: unknown var")
