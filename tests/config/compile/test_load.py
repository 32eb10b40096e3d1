"""Profiles become plans: what overrides what, what is selected, what is skipped and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.config.home import Home, allowing, error_lines
from xnai_validate.config.options import LoadOptions
from xnai_validate.model.json import JsonObject
from xnai_validate.plan import PlannedCheck, Until

ASK = "kind: toy.ask, target: api, with: {path: /}"


def rules(check: PlannedCheck) -> list[tuple[str, str, object, str]]:
    return [(rule.subject, rule.name, rule.operand, rule.level) for rule in check.measurement.rules]


def test_rules_are_merged_fact_by_fact(home: Home) -> None:
    """The kind's own rule holds unless the check names the fact; a threshold replaces both; error leads."""
    plan = home.plan_of_check(
        """
        kind: toy.ask
        target: api
        with: {path: /}
        expect: {status: 503, total_ms: {min: 1, max: 9}}
        warn: {total_ms: {max: "${budget.ms}"}}
        """
    )
    assert rules(plan.checks[0]) == [
        ("error", "equals", None, "expect"),
        ("status", "equals", 503, "expect"),
        ("total_ms", "min", 1, "expect"),
        ("total_ms", "max", 9, "expect"),
        ("total_ms", "max", 200, "warn"),
    ]
    home.profile(
        """
        title: Strict
        extends: base
        thresholds: {"case/*": {total_ms: {max: 2s}}}
        """,
        "strict",
    )
    assert rules(home.load("strict").checks[0])[2:] == [
        ("total_ms", "max", 2000, "expect"),
        ("total_ms", "max", 200, "warn"),
    ]


def test_a_run_has_an_id_of_its_own_for_test_data(home: Home) -> None:
    """`${run.id}` and `${run.nonce}` are one value in a run, and another in the next."""
    check = 'kind: toy.ask\ntarget: api\nwith: {path: "/${run.id}/${run.nonce}"}'
    paths = [str(getattr(home.plan_of_check(check).checks[0].measurement.params, "path", "")) for _ in range(2)]
    first, second = (path.strip("/").split("/") for path in paths)
    assert first[0] == first[1] != second[0] == second[1]


def test_profiles_extend_profiles(home: Home) -> None:
    """A profile overrides what it extends: targets and vars by field, suites added, criteria by count."""
    home.suite(f"title: A\nchecks:\n  - {{id: a, title: A, {ASK}}}\n", "case/a")
    home.suite(f"title: B\nchecks:\n  - {{id: b, title: B, {ASK}}}\n", "other/b")
    home.profile()
    home.profile(
        """
        title: Child
        extends: base
        suites: other/*
        targets: {api: {container: box}}
        vars: {budget: {s: 3}}
        criteria: {total: {errors: 0, passed: {min: 1}}}
        limits: {deadline: 1m}
        """,
        "child",
    )
    home.profile("title: Grandchild\nextends: [child, base]\ncriteria: {total: {passed: {min: 2}}}\n", "grandchild")
    plan = home.load("grandchild")
    assert plan.title == "Grandchild"
    assert [check.id for check in plan.checks] == ["case/a:a", "other/b:b"]
    assert plan.targets["api"].target.url == "http://127.0.0.1:1/base"
    assert plan.targets["api"].target.container == "box"
    assert plan.vars["budget"] == {"ms": 200, "s": 3}
    assert plan.limits.deadline_s == 60
    assert [(criterion.rule.fact, criterion.rule.operand) for criterion in plan.criteria] == [
        ("errors", 0),
        ("passed", 2),
    ]


def test_several_profiles_are_laid_over_one_another(home: Home) -> None:
    """The suites of all are run, the criteria of the later win, and the report has the order."""
    home.profile()
    home.suite(f"title: A\nchecks:\n  - {{id: a, title: A, {ASK}}}\n", "case/a")
    home.profile("title: Late\nlimits: {concurrency: 3}\n", "late")
    plan = home.load("base", "late")
    assert (plan.title, plan.profiles, plan.limits.concurrency) == ("Base + Late", ("base", "late"), 3)
    assert plan.notices == ("profiles are merged in this order, later ones override: base, late",)


def test_suite_defaults_lie_between_profile_and_check(home: Home) -> None:
    """A check's own word counts most, then its suite's, then the profile's; tags and covers are added up."""
    home.profile(
        """
        title: P
        suites: [case/*]
        targets: {api: {url: "http://127.0.0.1:1"}}
        defaults: {timeout: 5s, tags: all, fix: Look, retry: {attempts: 3, delay: 1s}}
        """
    )
    home.suite(
        """
        title: S
        covers: KG-1
        defaults: {target: api, timeout: 6s, tags: [suite], covers: KG-2}
        checks:
          - {id: a, title: A, kind: toy.ask, with: {path: /}, timeout: 7s, tags: own, covers: [KG-1, KG-3]}
          - {id: b, title: B, kind: toy.ask, with: {path: /}, until: {within: 9s, every: 1s}, fix: Mend}
        """
    )
    a, b = home.load().checks
    assert (a.timeout_s, b.timeout_s) == (7, 6)
    assert a.info.tags == ("all", "suite", "own")
    assert a.info.covers == ("KG-1", "KG-2", "KG-3")
    assert (a.info.fix, b.info.fix) == ("Look", "Mend")
    assert (a.retry.attempts, a.retry.delay_s, a.until) == (3, 1, None)
    assert (b.retry.attempts, b.until) == (1, Until(9, 1))
    assert (a.info.source.file, a.info.source.line) == ("checks/case/one.yaml", 6)


def test_a_criterion_names_what_it_presupposes(home: Home) -> None:
    """Without the consent it is kept with the reason why it is not judged; with it, from wherever, it is judged."""
    home.suite(f"title: S\nchecks:\n  - {{id: a, title: A, {ASK}}}\n")
    home.profile(
        """
        title: P
        suites: [case/*]
        targets: {api: {url: http://127.0.0.1:1}}
        criteria: {case: {passed: {min: 1}, allow: disruptive}, total: {errors: 0}}
        """
    )
    home.profile("title: Q\nextends: base\nallow: [disruptive]\n", "allowing")
    refused = {criterion.scope: criterion.not_judged for criterion in home.load().criteria}
    assert refused == {"case": "needs --allow disruptive", "total": None}
    for plan in (home.load(options=replace(home.options(), allow=frozenset({"disruptive"}))), home.load("allowing")):
        assert [criterion.not_judged for criterion in plan.criteria] == [None, None]


def test_a_criterion_is_not_judged_where_the_stack_lacks_the_parts(home: Home) -> None:
    """What must pass is counted among the checks that apply; a profile that cannot meet it on any stack fails."""
    home.suite(
        f"""
        title: S
        checks:
          - {{id: a, title: A, {ASK}}}
          - {{id: b, title: B, {ASK.replace("api", "absent")}}}
          - {{id: c, title: C, needs: [b], {ASK}}}
        """
    )
    home.profile(
        """
        title: P
        suites: [case/*]
        targets: {api: {url: http://127.0.0.1:1}, absent: {url: "${ABSENT_URL:-}"}}
        criteria: {case: {passed: {min: 2}}, total: {passed: {min: 4}}}
        """
    )
    reasons = {criterion.scope: criterion.not_judged for criterion in home.load().criteria}
    assert reasons == {"case": "1 of its 3 checks apply to this stack", "total": None}
    present = replace(home.options(), targets={"absent": "http://127.0.0.1:2"})
    assert [criterion.not_judged for criterion in home.load(options=present).criteria] == [None, None]


def test_the_needs_of_a_suite_are_those_of_its_checks(home: Home) -> None:
    """A check that is needed by its own suite does not wait for itself, nor does what it needs."""
    home.profile()
    home.suite(
        f"""
        title: S
        needs: [ready, other/b:b]
        checks:
          - {{id: up, title: A, {ASK}}}
          - {{id: ready, title: A, needs: up, {ASK}}}
          - {{id: last, title: A, needs: [up], {ASK}}}
        """
    )
    home.suite(f"title: B\nchecks:\n  - {{id: b, title: B, {ASK}}}\n  - {{id: c, title: C, {ASK}}}\n", "other/b")
    plan = home.load()
    assert {check.id: check.needs for check in plan.checks} == {
        "other/b:b": (),
        "case/one:up": (),
        "case/one:ready": ("case/one:up",),
        "case/one:last": ("case/one:ready", "other/b:b", "case/one:up"),
    }
    assert plan.notices == ("1 more run because others need them: other/b:b",)


FILTERED = f"""
title: S
checks:
  - {{id: a, title: A, tags: [quick, x], {ASK}}}
  - {{id: b, title: B, tags: [quick], needs: c, {ASK}}}
  - {{id: c, title: C, {ASK}}}
"""


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (LoadOptions(), ["a", "b", "c"]),
        (LoadOptions(only=("case/one:a",)), ["a"]),
        (LoadOptions(only=("*:c",)), ["c"]),
        (LoadOptions(only=("case",)), ["a", "b", "c"]),
        (LoadOptions(tags=frozenset({"quick"})), ["c", "a", "b"]),
        (LoadOptions(skip_tags=frozenset({"quick"})), ["c"]),
        (LoadOptions(tags=frozenset({"quick"}), skip_tags=frozenset({"x"})), ["c", "b"]),
        (LoadOptions(rerun=frozenset({"case/one:b"})), ["c", "b"]),
        (LoadOptions(rerun=frozenset()), []),
    ],
)
def test_filters_select_checks_and_what_they_need(home: Home, options: LoadOptions, ids: list[str]) -> None:
    """What a selected check needs runs too; criteria are not judged on less than the profile."""
    home.profile()
    home.profile("title: C\nextends: base\ncriteria: {total: {passed: {min: 3}}}\n", "counted")
    home.suite(FILTERED)
    plan = home.load("counted", options=_here(home, options))
    assert [check.id.rpartition(":")[2] for check in plan.checks] == ids
    narrowed = options.only or options.tags or options.skip_tags or options.rerun is not None
    assert len(plan.criteria) == (0 if narrowed else 1)
    assert any("narrower" in notice for notice in plan.notices) is bool(narrowed)


def _here(home: Home, options: LoadOptions) -> LoadOptions:
    return replace(options, cwd=home.path, environ={})


def test_filters_that_match_nothing_are_errors(home: Home) -> None:
    """A mistyped tag or id on the command line is reported with the nearest, not taken for an empty selection."""
    home.profile()
    home.suite(FILTERED)
    options = home.options(only=("case/one:d",), tags=frozenset({"quik"}))
    assert error_lines(home.problems(options=options)) == [
        '-: --only "case/one:d" matches no check; did you mean "case/one:c"?',
        '-: no check has the tag "quik"; did you mean "quick"?',
    ]


@pytest.mark.parametrize(
    ("when", "reason"),
    [
        ("{layout: B}", "for layout B; this stack has layout A"),
        ("{layout: {not: A}}", "for layout other than A; this stack has layout A"),
        ("{budget.ms: {min: 300}}", "for budget.ms of at least 300; this stack has budget.ms 200"),
        ("{layout: {in: [B, C]}}", "for layout one of B, C; this stack has layout A"),
        (
            "{token: {not: null}}",
            "needs the var token, which is not set: give it in the stack file or by --var token=...",
        ),
        ("{layout: A, budget: {not: null}}", None),
    ],
)
def test_a_check_for_another_stack_is_skipped_with_the_reason(home: Home, when: str, reason: str | None) -> None:
    """`when` decides by the vars, and the reason is in plain words."""
    (check,) = home.plan_of_check(f"kind: toy.ask\ntarget: api\nwith: {{path: /}}\nwhen: {when}").checks
    assert check.skip == reason


def test_a_check_for_another_stack_may_use_what_this_one_lacks(home: Home) -> None:
    """Params that have no value here are not verified where the check is not for this stack."""
    (check,) = home.plan_of_check(
        "kind: toy.ask\ntarget: api\nwith: {path: '${token}'}\nexpect: {text: '${token}'}\nwhen: {token: {not: null}}"
    ).checks
    assert check.skip == "needs the var token, which is not set: give it in the stack file or by --var token=..."


def test_checks_of_unconfigured_targets_are_skipped(home: Home) -> None:
    """A target without url, container and pid is not configured; a pid alone is enough."""
    text = "kind: toy.ask\ntarget: absent\nwith: {path: /}"
    assert home.plan_of_check(text).checks[0].skip == "target absent is not configured"
    stack: JsonObject = {"targets": {"absent": {"pid": 1}}}
    assert home.plan_of_check(text, options=home.options(stack=stack)).checks[0].skip is None


def test_disruptive_checks_want_leave(home: Home) -> None:
    """A disruptive check runs alone, and only where a profile or the command line allows it."""
    text = "kind: toy.ask\ntarget: api\nwith: {path: /}\ndisruptive: true"
    (check,) = home.plan_of_check(text).checks
    assert check.exclusive
    assert check.info.disruptive
    assert check.skip == "disruptive checks are not allowed here; allow them with --allow disruptive"
    assert home.plan_of_check(text, options=allowing(home.options(), "disruptive")).checks[0].skip is None
    home.profile("title: P\nextends: base\nallow: [disruptive]\n", "bold")
    assert home.load("bold").checks[0].skip is None


def test_observations_are_compiled_with_the_check(home: Home) -> None:
    """Measurements within params are verified and found by the key of the observation, at any depth."""
    (check,) = home.plan_of_check(
        """
        kind: toy.compare
        target: api
        with:
          during: [{kind: toy.ask, with: {path: /a}, expect: {status: 201}}]
          watch:
            x: {fact: total_ms, read: {kind: toy.ask, target: store, with: {path: /b}}}
            y: {fact: load, read: {kind: toy.load}}
        expect: {moved: {x: {max: 1}}}
        """
    ).checks
    found = check.measurement.observations
    params = check.measurement.params.model_dump()
    assert len(found) == 3
    by_path = {getattr(check.params, "path", None): check for check in found.values()}
    assert by_path["/a"].target == "api"
    assert by_path["/b"].target == "store"
    assert [rule.operand for rule in by_path["/a"].rules] == [None, 201]
    assert by_path[None].rules == ()
    assert params["during"][0]["kind"] == "toy.ask"
    assert getattr(check.measurement.params, "during")[0].key in found  # noqa: B009
    assert check.exclusive


def test_waiting_is_for_what_others_need(home: Home) -> None:
    """With a time to wait, every precondition is measured again until it holds; other checks are not."""
    home.profile()
    home.suite(FILTERED)
    plan = home.load(options=replace(home.options(), wait_s=60.0))
    assert {check.info.title: check.until.within_s if check.until else None for check in plan.checks} == {
        "A": None,
        "B": None,
        "C": 60.0,
    }


def test_many_checks_load_with_the_collector_as_it_was(home: Home) -> None:
    """A thousand checks are planned in the order of the file, each with its line."""
    home.profile()
    lines = "".join(f"  - {{id: c{n}, title: T, {ASK}}}\n" for n in range(1000))
    home.suite(f"title: Many\nchecks:\n{lines}")
    checks = home.load().checks
    assert [check.info.source.line for check in checks] == list(range(3, 1003))


def test_profiles_extend_one_another_up_to_a_bound(home: Home) -> None:
    """A chain of a thousand is an error at the first one beyond it; each is read once, however deep it stands."""
    home.suite(f"title: O\nchecks: [{{id: a, title: A, {ASK}}}]\n")
    for number in range(100):
        home.profile(f"title: P\nextends: p{number + 1}\n", f"p{number}")
    home.profile("title: P\nsuites: [case/*]\ntargets: {api: {url: 'http://127.0.0.1:1'}}\n", "p100")
    assert home.load("p80").checks
    (line,) = error_lines(home.problems("p0"))
    assert "profiles extend one another more than 32 levels deep" in line


def test_a_glob_of_brackets_takes_no_time(home: Home) -> None:
    """A glob that is longer than any id matches nothing; translating it would take minutes."""
    home.suite(f"title: O\nchecks: [{{id: a, title: A, {ASK}}}]\n")
    home.profile(
        "title: B\nsuites: [case/*, '" + "[" * 20_000 + "']\ntargets: {api: {url: 'http://127.0.0.1:1'}}\n"
        "thresholds: {'" + "[" * 900 + "': {total_ms: {max: 1}}}\n",
        "long",
    )
    lines = error_lines(home.problems("long"))
    assert len([line for line in lines if "[[[" in line]) == 2, [line[:100] for line in lines]
