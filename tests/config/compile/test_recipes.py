"""A recipe is a suite with parameters: a profile applies it to a target, as often as it has targets for it."""

from __future__ import annotations

import pytest

from tests.config.home import Home
from xnai_validate.config.compile.recipes import fits
from xnai_validate.model.json import JsonValue
from xnai_validate.plan import Plan

RECIPE = """
title: A toy carries its load
software: Toy 1
tried: Toy 1, by this test
params:
  most: {type: number, default: 4, doc: "The greatest load."}
  wait: {type: duration, default: null, doc: "How long it may take."}
checks:
  - {id: carries, title: It carries, kind: toy.load, expect: {load: {max: "${params.most}"}}}
  - {id: quick, title: It is quick, kind: toy.load, needs: carries, when: {params.wait: {not: null}},
     expect: {load: {max: "${=seconds(params.wait)}"}}}
"""
PROFILE = """
title: Base
suites:
  - {recipe: toy, target: api}
  - {recipe: toy, target: store, with: {most: 7, wait: "${patience}"}}
  - {recipe: toy, target: store, as: again, with: {most: "${budget}"}}
targets:
  api: {url: "http://127.0.0.1:1"}
  store: {url: "redis://127.0.0.1:2"}
vars: {patience: 3s, budget: 9}
"""


def planned(home: Home, profile: str = PROFILE, recipe: str = RECIPE) -> Plan:
    """The plan of a profile that uses a recipe."""
    home.write("checks/recipes/toy.yaml", recipe)
    home.profile(profile)
    return home.load()


def limits(plan: Plan) -> dict[str, JsonValue]:
    """Check -> the limit of its rule, of all checks that run."""
    return {check.id: check.measurement.rules[0].operand for check in plan.checks if not check.skip}


def test_each_use_is_a_suite_of_its_own(home: Home) -> None:
    """Ids begin with the target and the recipe; values come from the profile and its vars, else from the defaults."""
    plan = planned(home)
    assert limits(plan) == {
        "api/toy:carries": 4,
        "store/toy:carries": 7,
        "store/toy:quick": 3,
        "store/again:carries": 9,
    }
    assert {check.info.target for check in plan.checks if check.id.startswith("store")} == {"store"}
    assert {check.info.category for check in plan.checks} == {"api", "store"}


def test_a_parameter_without_a_value_skips_what_needs_it(home: Home) -> None:
    """The reason names the parameter, not a var of the stack."""
    skipped = {check.id: check.skip for check in planned(home).checks if check.skip}
    assert skipped == dict.fromkeys(
        ("api/toy:quick", "store/again:quick"), "needs the parameter wait: give it under `with` of the recipe"
    )


def test_a_check_of_a_suite_may_need_one_of_a_recipe(home: Home) -> None:
    """A check of the user waits for the database's check by its full id."""
    home.suite(
        """
        title: Own
        checks: [{id: own, title: Own, kind: toy.load, target: api, needs: "store/toy:carries", expect: {load: 1}}]
        """
    )
    plan = planned(home, PROFILE.replace("suites:", "suites:\n  - case/one"))
    assert next(check.needs for check in plan.checks if check.id == "case/one:own") == ("store/toy:carries",)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        ("{recipe: tyo, target: api}", 'unknown recipe "tyo"'),
        ("{recipe: toy, target: apo}", 'unknown target "apo"'),
        ("{recipe: toy, target: api, as: other, with: {mots: 1}}", 'unknown parameter "mots" of the recipe toy'),
        ("{recipe: toy, target: api, as: other, with: {most: much}}", "most of the recipe toy is a number"),
        ("{recipe: toy, target: api, as: other, with: {wait: 3}}", "wait of the recipe toy is a duration"),
        ("{recipe: toy, target: store}", "store/toy is used twice"),
    ],
)
def test_errors_of_a_use_are_at_their_place(home: Home, use: str, message: str) -> None:
    """An unknown recipe, target or parameter and a value of another type are errors in the profile."""
    home.write("checks/recipes/toy.yaml", RECIPE)
    home.profile(PROFILE.replace("suites:", f"suites:\n  - {use}"))
    problems = home.problems()
    assert message in [problem.message for problem in problems]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("most: {type: number, default: few, doc: x}", "the default of most is not of type number"),
        ("most: {type: digits, default: 4, doc: x}", "type takes one of text"),
        ("most: {type: number, default: 4}", 'a parameter needs "doc"'),
    ],
)
def test_errors_of_a_recipe_are_in_its_file(home: Home, line: str, message: str) -> None:
    """A parameter has a known type, a default of this type, and a sentence."""
    recipe = RECIPE.replace('most: {type: number, default: 4, doc: "The greatest load."}', line)
    home.write("checks/recipes/toy.yaml", recipe)
    home.profile(PROFILE)
    found = [(problem.place.file if problem.place else "", problem.message) for problem in home.problems()]
    assert [(file, message in text) for file, text in found] == [("checks/recipes/toy.yaml", True)]


@pytest.mark.parametrize(
    ("type_", "good", "bad"),
    [
        ("text", ["a", 1, ""], [True, [], {}]),
        ("number", [1, 0.5], [True, "1"]),
        ("boolean", [True], [1, "true"]),
        ("duration", ["5s", "200ms"], [5, "soon"]),
        ("list", [[]], ["a"]),
        ("mapping", [{}], ["a"]),
    ],
)
def test_values_fit_the_types_of_parameters(type_: str, good: list[JsonValue], bad: list[JsonValue]) -> None:
    """Null, no value, fits every type."""
    assert all(fits(type_, value) for value in [*good, None])
    assert not any(fits(type_, value) for value in bad)
