"""Checks name what they hold a stack to, and practices warn where promises fail."""

from __future__ import annotations

from dataclasses import replace

from tests.config.home import Home
from xnai_validate.config.compile.load import load_plan, plan_of_recipes
from xnai_validate.config.compile.promises import Promises
from xnai_validate.config.locate import Library
from xnai_validate.config.options import LoadOptions
from xnai_validate.config.yaml_files.problems import Problems
from xnai_validate.plan import Plan

CONTRACT = """
title: A stack of ours
promises:
  - {id: shop.pages, text: "Pages are served.", source: "the shop's handbook"}
practices:
  - {id: shop.quick, text: "Pages are quick.", source: "the shop's handbook"}
"""
PRACTICE = "kind: toy.load\npractice: shop.quick\nexpect: {load: {max: 4}}"


def levels(plan: Plan) -> dict[str, str]:
    """Fact -> level of the rules of the only check."""
    return {rule.fact: rule.level for rule in plan.checks[0].measurement.rules}


def test_a_check_carries_its_promise(home: Home) -> None:
    """Text and source come from the contract file beside the profile."""
    home.write("contracts/shop.yaml", CONTRACT)
    plan = home.plan_of_check("kind: toy.load\npromise: shop.pages\nexpect: {load: {max: 4}}")
    promise = plan.checks[0].info.promise
    assert promise is not None
    assert (promise.text, promise.source, promise.practice) == ("Pages are served.", "the shop's handbook", False)
    assert levels(plan)["load"] == "expect"


def test_a_suite_names_the_promise_of_all_its_checks(home: Home) -> None:
    """A check's own promise replaces that of the defaults."""
    home.write("contracts/shop.yaml", CONTRACT)
    home.profile()
    home.suite(
        """
        title: One
        defaults: {promise: shop.pages}
        checks:
          - {id: first, title: First, kind: toy.load, expect: {load: {max: 4}}}
          - {id: second, title: Second, kind: toy.load, practice: shop.quick, expect: {load: {max: 4}}}
        """
    )
    names = [check.info.promise.id for check in home.load().checks if check.info.promise]
    assert names == ["shop.pages", "shop.quick"]


def test_a_practice_warns_and_fails_only_in_a_strict_profile(home: Home) -> None:
    """What the check expects warns; the rules of the kind itself still fail, for then nothing was measured."""
    home.write("contracts/shop.yaml", CONTRACT)
    assert levels(home.plan_of_check(PRACTICE))["load"] == "warn"
    strict = replace(home.options(), strict=True)
    assert levels(home.load(options=strict))["load"] == "expect"
    home.profile("title: Base\nextends: [loose]\nstrict: true\nsuites: [case/*]", "base")
    home.profile("title: Loose\ntargets: {api: {url: 'http://127.0.0.1:1'}}", "loose")
    assert levels(home.load())["load"] == "expect"


def test_an_invalid_contract_is_reported_with_its_place(home: Home) -> None:
    """Each error of a contract file that a check refers to, and an id that is defined twice."""
    home.write("contracts/shop.yaml", CONTRACT + "  - {id: shop.pages, text: Again., source: the same}\n")
    home.write("contracts/broken.yaml", "title: Broken\npromises:\n  - {id: Wrong, text: A., source: B.}\n")
    home.profile()
    home.suite("title: One\nchecks:\n  - id: it\n    title: It\n    " + PRACTICE.replace("\n", "\n    "))
    messages = [f"{p.place.file}:{p.place.line}: {p.message}" for p in home.problems() if p.place]
    assert messages == [
        'contracts/broken.yaml:3: promises[0].id: "Wrong" is not a promise id; '
        "use lower-case words, joined by dots and hyphens",
        'contracts/shop.yaml:7: "shop.pages" is defined twice',
    ]


def test_the_bundled_contracts_are_complete() -> None:
    """Every bundled check names a promise or practice, and each of these has a check, or a reason why it has none."""
    options = LoadOptions(environ={})
    problems = Problems()
    library = Library(options, problems)
    promises = Promises(library, problems).all
    plans = load_plan(("phase4",), options), plan_of_recipes(tuple(library.recipes), options)
    checks = {check.id: check.info.promise for plan in plans for check in plan.checks}
    assert [check for check, promise in checks.items() if promise is None] == []
    named = {promise.id for promise in checks.values() if promise}
    assert [name for name, promise in promises.items() if name not in named and not promise.unchecked] == []
    assert not problems.found
