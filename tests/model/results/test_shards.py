"""Shards are merged only if they are all parts of one plan, each once; everything else is refused with what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from xnai_validate.errors import ConfigError
from xnai_validate.model.judging.rules import Rule
from xnai_validate.model.results import events as ev
from xnai_validate.model.results.merged_events import merged_events
from xnai_validate.model.results.report import CheckInfo, Criterion, RunInfo, RunReport, Shard, Source
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.shards import verified_shards
from xnai_validate.model.results.status import Status

BEGAN = 1_800_000_000.0
SHARES = (("a/one:x", "a/one:up"), ("a/two:y",))
"""By shard, the checks that count in it; the second one also measures `a/one:up`, which its own check needs."""
PLACES = {"a/one:up": 1, "a/one:x": 2, "a/two:y": 3}


def shard(number: int, statuses: dict[str, Status] | None = None, **end: Any) -> RunReport:
    """Return the report of a shard, with the statuses of its checks (else they pass)."""
    own = SHARES[number - 1]
    part = Shard(
        number=number,
        count=2,
        plan={"a/one": "1111", "a/two": "2222"},
        split="3333",
        share={check_id: PLACES[check_id] for check_id in own},
        planned=3,
        title="A plan",
        narrowed=False,
        criteria=(Criterion(scope="total", rule=Rule("passed", "min", 3)),),
    )
    run = RunInfo(
        id=f"run-{number}",
        title=f"A plan, shard {part.name}",
        profiles=("good",),
        started_at=BEGAN + number,
        host={"name": f"host-{number}", "cpus": 2},
        version="1",
        narrowed=True,
        shard=part,
    )
    ids = sorted({*own, "a/one:up"}, key=PLACES.__getitem__)
    source = Source(file="a.yaml", line=1)
    infos = tuple(CheckInfo(id=each, title=each, category="a", kind="http.request", source=source) for each in ids)
    events: list[ev.Event] = [ev.RunStarted(seq=1, at=BEGAN + number, run=run, checks=infos, criteria=())]
    for each in ids:
        status = (statuses or {}).get(each, Status.PASS)
        attempts = 0 if status is Status.SKIP else 1
        blocked_by = "a/one:up" if status is Status.SKIP else None
        events.append(ev.CheckStarted(seq=0, at=BEGAN + number + 1, id=each))
        reason = None if status is Status.PASS else f"it was {status}"
        events.append(
            ev.CheckFinished(
                seq=0,
                at=BEGAN + number + 2,
                id=each,
                status=status,
                reason=reason,
                blocked_by=blocked_by,
                attempts=attempts,
            )
        )
    events.append(ev.Notice(seq=0, at=BEGAN, level="info", text="of both"))
    events.append(ev.Notice(seq=0, at=BEGAN, level="info", text="of 1" if number == 1 else "shard 2/2: of 2"))
    events.append(ev.RunFinished(seq=0, at=BEGAN + number + 3, **{"elapsed_ms": 3000.0, **end}))
    return build_report(events)


def merged(first: RunReport, second: RunReport) -> RunReport:
    return build_report(merged_events([("1.json", first), ("2.json", second)]))


def changed(report: RunReport, **fields: Any) -> RunReport:
    """Return the report with other fields of its shard."""
    assert report.run.shard is not None
    return replace(report, run=replace(report.run, shard=replace(report.run.shard, **fields)))


def test_the_whole_is_one_run() -> None:
    """Checks in the order of the plan, criteria over all, times as they were, and both runs named."""
    report = merged(shard(2), shard(1))
    assert [check.id for check in report.checks] == list(PLACES)
    assert (report.exit_code, [result.met for result in report.criteria]) == (0, [True])
    assert (report.run.title, report.run.narrowed, report.run.shard) == ("A plan", False, None)
    assert (report.run.id, report.run.shards) == ("run-1+1", ("run-1", "run-2"))
    assert report.run.elapsed_ms == 4000.0
    assert [check.began_ms for check in report.checks] == [1000.0, 1000.0, 2000.0]
    assert report.run.host == {"cpus": 2}
    assert [notice.text for notice in report.notices] == [
        "of both",
        "shard 1/2: of 1",
        "shard 2/2: of 2",
        "the shards ran on different hosts: 1/2 on host-1, 2/2 on host-2",
    ]


@pytest.mark.parametrize("worse", [Status.FAIL, Status.ERROR, Status.WAIVED, Status.WARN, Status.FLAKY])
def test_a_check_that_two_shards_have_measured_has_its_worst_result(worse: Status) -> None:
    """It was needed in both: a stack on which it failed has not passed, though it counts in the shard of another."""
    here = {"a/one:up": worse}
    blocked = here if worse.passed else {**here, "a/two:y": Status.SKIP}
    report = merged(shard(1), shard(2, blocked))
    assert report.checks[0].status is worse
    assert bool(report.exit_code) is (worse in (Status.FAIL, Status.ERROR))
    assert any("which counts" in notice.text for notice in report.notices if notice.level == "warning")
    assert merged(shard(1, here), shard(2)).checks[0].status is worse


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ({"stopped": "deadline"}, 5),
        ({"stopped": "memory"}, 5),
        ({"stopped": "interrupted"}, 130),
        ({"stopped": "not-undone", "not_undone": ("record",)}, 4),
        ({"not_undone": ("record",)}, 4),
    ],
)
def test_a_shard_that_was_stopped_stops_the_whole(end: dict[str, Any], code: int) -> None:
    """One shard that did not reach its end leaves no verdict over the whole, whatever the others found."""
    assert merged(shard(1), shard(2, **end)).exit_code == code
    assert merged(shard(1, {"a/one:x": Status.FAIL}), shard(2, **end)).exit_code == code


def test_a_reason_to_stop_that_is_not_known_is_no_pass() -> None:
    """A later version may stop for something else."""
    odd = shard(2)
    assert merged(shard(1), replace(odd, run=replace(odd.run, stopped="eclipse"))).exit_code == 130


REFUSED: dict[str, tuple[Callable[[RunReport], RunReport], str]] = {
    "whole": (lambda r: replace(r, run=replace(r.run, shard=None)), "2.json is a run of a whole plan"),
    "merged": (lambda r: replace(r, run=replace(r.run, shard=None, shards=("x",))), "2.json is a merged report"),
    "version": (lambda r: replace(r, tool=replace(r.tool, version="2")), "different versions of xnai-validate: 1 in"),
    "profiles": (lambda r: replace(r, run=replace(r.run, profiles=("bad",))), "different profiles"),
    "count": (lambda r: changed(r, count=3), "different numbers of shards: 2 in 1.json"),
    "fail-on": (lambda r: changed(r, fail_on=(Status.FAIL, Status.WARN)), "different --fail-on"),
    "fail-if-none": (lambda r: changed(r, fail_if_none=True), "different --fail-if-none"),
    "suite": (lambda r: changed(r, plan={"a/one": "1111", "a/two": "9999"}), "different plans: checks of a/two"),
    "more": (lambda r: changed(r, plan={"a/one": "1111"}), "different plans: checks of a/two"),
    "criteria": (lambda r: changed(r, criteria=()), "different plans: success criteria"),
    "selection": (lambda r: changed(r, narrowed=True), "different plans: selected checks"),
    "split": (lambda r: changed(r, split="4444"), "divided the plan differently"),
    "twice": (lambda r: changed(r, number=1), "shard 1/2 is given 2 times: 1.json, 2.json"),
    "in two": (lambda r: changed(r, share={"a/two:y": 3, "a/one:up": 1}), "checks count in two shards: a/one:up"),
    "in none": (lambda r: changed(r, share={}), "1 of the 3 checks of the plan count in no shard"),
    "lacking": (lambda r: replace(r, checks=r.checks[:1]), "has no result of its own checks a/two:y"),
    "doubled": (lambda r: replace(r, checks=(*r.checks, r.checks[1])), "has no result of its own checks a/two:y"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_with_what_to_do(case: str) -> None:
    """Whichever file comes first; nothing is merged from what is not one run of one plan."""
    change, message = REFUSED[case]
    with pytest.raises(ConfigError) as raised:
        verified_shards([("1.json", shard(1)), ("2.json", change(shard(2)))])
    assert message in raised.value.message
    assert raised.value.hint


def test_a_missing_shard_is_named() -> None:
    """A job that was lost is not a pass."""
    with pytest.raises(ConfigError, match="the report of shard 2/2 is missing"):
        verified_shards([("1.json", shard(1))])


def test_an_interrupted_shard_beside_the_run_that_finished_it() -> None:
    """The advice names the one to leave out."""
    first = shard(1)
    again = replace(first, run=replace(first.run, id="run-3", resumes="run-1"))
    with pytest.raises(ConfigError) as raised:
        verified_shards([("old.json", first), ("new.json", again), ("2.json", shard(2))])
    assert raised.value.hint == "new.json has finished old.json, so leave that one out"
    assert merged(again, shard(2)).exit_code == 0
