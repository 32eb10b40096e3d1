"""A shard is a plan of its own, and all shards together give the report of the whole plan."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.engine.plans import collect, engine_of, make, plan_of
from tests.sharding.plans import BY, plans
from xnai_validate.model.judging.rules import Rule
from xnai_validate.model.results.merged_events import merged_events
from xnai_validate.model.results.report import Criterion, RunReport
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status
from xnai_validate.plan import Plan
from xnai_validate.report.formats.json import parse
from xnai_validate.report.registry import FORMATS
from xnai_validate.report.view import View
from xnai_validate.sharding.share import SPANS, shard_of


def report_of(plan: Plan, number: int = 0, fail_on: tuple[Status, ...] = (Status.FAIL,)) -> RunReport:
    """Run a plan on a clock that takes no time, and return the report as its JSON document has it."""
    with tempfile.TemporaryDirectory() as state:
        engine = engine_of(plan, Path(state), run_id=f"20010909T014640-00000{number}", fail_on=fail_on)
        report = build_report(asyncio.run(collect(engine)))
    return parse(FORMATS.get("json").text(report, View()))


def merged(
    plan: Plan, count: int, fail_on: tuple[Status, ...] = (Status.FAIL,), *, fail_if_none: bool = False
) -> RunReport:
    """Run every shard of a plan, and merge their reports."""
    numbers = range(1, count + 1)
    shards = [shard_of(plan, n, count, fail_on=fail_on, fail_if_none=fail_if_none) for n in numbers]
    reports = [(f"s{n}.json", report_of(shard, n, fail_on)) for n, shard in enumerate(shards, 1)]
    return build_report(merged_events(list(reversed(reports))))


@given(plans(), st.integers(1, 4), st.sampled_from(((Status.FAIL,), (Status.FAIL, Status.SKIP), (Status.ERROR,))))
@settings(max_examples=40, deadline=None)
def test_all_shards_are_worth_the_whole_run(plan: Plan, count: int, fail_on: tuple[Status, ...]) -> None:
    """Statuses, reasons, what is blocked and by what, criteria, causes and the exit code of any plan are the same."""
    whole, together = report_of(plan, fail_on=fail_on), merged(plan, count, fail_on)
    assert [(c.id, c.status, c.reason, c.blocked_by) for c in together.checks] == [
        (c.id, c.status, c.reason, c.blocked_by) for c in whole.checks
    ]
    assert (together.criteria, together.causes, together.summary) == (whole.criteria, whole.causes, whole.summary)
    assert (together.exit_code, together.verdict) == (whole.exit_code, whole.verdict)
    assert (together.run.title, together.run.narrowed) == (whole.run.title, whole.run.narrowed)


@given(plans(), st.integers(2, 4))
@settings(max_examples=40, deadline=None)
def test_a_shard_fails_by_its_own_checks_alone(plan: Plan, count: int) -> None:
    """A criterion whose checks are in other shards too is not judged, so it fails no shard."""
    for number in range(1, count + 1):
        report = report_of(shard_of(plan, number, count), number)
        assert report.run.shard is not None
        own = {check.info.category for check in plan.checks if check.id in report.run.shard.share}
        others = {check.info.category for check in plan.checks if check.id not in report.run.shard.share}
        for result in report.criteria:
            if result.name.partition(" ")[0] not in own - others:
                assert (result.met, result.not_judged) == (None, SPANS) or not others


def test_a_criterion_within_one_shard_is_judged_there() -> None:
    """All its checks are in this shard, so the count is that of the whole run."""
    first = make("a/s:one", BY, category="a", script={"answers": (500,)})
    plan = plan_of(first, make("b/s:two", BY, category="b"))
    plan = replace(plan, criteria=tuple(Criterion(scope=s, rule=Rule("passed", "min", 1)) for s in ("a", "b", "total")))
    shards = [report_of(shard_of(plan, number, 2), number) for number in (1, 2)]
    assert [[result.met for result in shard.criteria] for shard in shards] == [[False, None, None], [None, True, None]]
    assert [shard.exit_code for shard in shards] == [1, 0]


def test_an_empty_shard_passes() -> None:
    """There may be more jobs than chains of checks."""
    plan = plan_of(make("a/s:one", BY))
    reports = [report_of(shard_of(plan, number, 3, fail_if_none=True), number) for number in (1, 2, 3)]
    assert sorted(len(report.checks) for report in reports) == [0, 0, 1]
    assert {report.exit_code for report in reports} == {0}
    assert len(merged(plan, 3).checks) == 1


@pytest.mark.parametrize(("fail_if_none", "code"), [(True, 3), (False, 0)])
def test_whether_every_check_was_skipped_is_judged_over_the_whole(fail_if_none: bool, code: int) -> None:
    """One shard of skipped checks is no reason to doubt; all of them are, if the user asked for that."""
    skipped = [make(f"a/s:c{n}", BY, skip="not here") for n in range(2)]
    assert merged(plan_of(*skipped), 2, fail_if_none=fail_if_none).exit_code == code
    assert merged(plan_of(*skipped, make("a/s:up", BY)), 2, fail_if_none=fail_if_none).exit_code == 0
