"""Runs compared with runs: what is called worse, better, the same, and what cannot be decided."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.baseline.samples import HOST, LOAD, MEMORY, load_facts, load_run, memory_run, report
from xnai_validate.baseline.comparing import compare
from xnai_validate.baseline.fingerprint import differences, fingerprint_of, incompatibilities
from xnai_validate.baseline.record import RecordedRun, recorded
from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.comparison import Change, Compared, Comparison
from xnai_validate.model.results.status import Status


def figure_of(found: Comparison, figure: str) -> Compared:
    (only,) = (item for item in found.figures if item.figure == figure)
    return only


def run_of(facts: JsonObject, number: int = 0) -> RecordedRun:
    return recorded(report({LOAD: facts}, number=number), passed_only=False)


@pytest.mark.parametrize(
    ("median_ms", "change"), [(20.0, "same"), (24.0, "regression"), (16.0, "improvement"), (20.2, "same")]
)
def test_a_load_is_judged_by_its_median(median_ms: float, change: Change) -> None:
    """A percent more is within the band, a fifth more is worse, a fifth less is better."""
    rng = random.Random(2)
    before = [load_run(rng, number, spread=0.01) for number in range(5)]
    found = figure_of(compare("main", before, [load_run(rng, 9, median_ms=median_ms)]), "p50_ms")
    assert found.change == change
    assert found.ratio == pytest.approx(median_ms / 20, rel=0.06)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.high


@pytest.mark.parametrize(
    ("median_ms", "later_ms", "change"), [(1.0, 1.3, "same"), (1.0, 1.8, "regression"), (20.0, 26.0, "regression")]
)
def test_less_than_half_a_millisecond_does_not_count(median_ms: float, later_ms: float, change: Change) -> None:
    """Thirty percent of 20 ms are a regression, of 1 ms they may be the machine's; eighty percent of it are one."""
    rng = random.Random(3)
    before = [load_run(rng, number, median_ms=median_ms, spread=0.01) for number in range(5)]
    found = figure_of(compare("main", before, [load_run(rng, 9, median_ms=later_ms)]), "p50_ms")
    assert found.change == change
    assert found.band == pytest.approx(max(0.10, 0.5 / median_ms), rel=0.06)


def test_one_run_cannot_decide_a_small_change() -> None:
    """With one run each 15 % may be the state of the machine: undecided, with that reason; a double latency is not."""
    rng = random.Random(4)
    found = figure_of(compare("main", [load_run(rng)], [load_run(rng, 1, median_ms=23)]), "p50_ms")
    assert found.change == "cannot tell"
    assert found.reason is not None
    assert "is possible" in found.reason
    assert (
        figure_of(compare("main", [load_run(rng)], [load_run(rng, 1, median_ms=40)]), "p50_ms").change == "regression"
    )


def test_memory_is_judged_where_the_check_judges_it() -> None:
    """A tenth more memory is worse; memory that a check reports as a side fact is not compared."""
    before = [memory_run(100 + n / 10, n) for n in range(5)]
    assert figure_of(compare("main", before, [memory_run(110, 9)]), "tree_rss_mib").change == "regression"
    assert figure_of(compare("main", before, [memory_run(101, 9)]), "tree_rss_mib").change == "same"
    by_the_way = report({MEMORY: {"tree_rss_mib": 100.0}})
    unjudged = replace(by_the_way, checks=tuple(replace(check, findings=()) for check in by_the_way.checks))
    assert not recorded(unjudged, passed_only=True).checks[MEMORY].comparable


@pytest.mark.parametrize(("rss_mib", "change"), [(104.0, "cannot tell"), (96.2, "same"), (94.0, "improvement")])
def test_a_certain_change_below_the_band_does_not_count(rss_mib: float, change: Change) -> None:
    """Four percent more is neither a regression nor ruled out to be one, though not by chance; four less is no gain."""
    before = [memory_run(100, number) for number in range(5)]
    found = figure_of(compare("main", before, [memory_run(rss_mib, 9)]), "tree_rss_mib")
    assert found.change == change
    assert found.low is not None
    assert found.high is not None
    assert not found.low < 1 < found.high


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"too_slow_client": True}, "the later run: the load generator was too slow"),
        ({"ended_early": True}, "the later run: the load ended early"),
        ({"lag_p99_ms": 2.5}, "the later run: the machine was too busy: the tool itself was 2.5 ms late"),
        ({"latency_windows": {"window_ms": 100, "windows": []}}, "the load does not last as long in all runs"),
        ({"latency_windows": {"window_ms": 333.3, "windows": [{"format": "x"}]}}, "not a histogram of ours"),
        ({"latency_windows": None}, "the later run does not have it"),
    ],
)
def test_what_cannot_be_compared_is_reported(change: JsonObject, message: str) -> None:
    """A load that shows nothing about the stack is neither better nor worse, and the reason is given."""
    rng = random.Random(6)
    found = compare("main", [load_run(rng)], [run_of({**load_facts(rng), **change}, 1)])
    assert {item.change for item in found.figures} == {"cannot tell"}
    assert not found.conclusive
    assert any(message in (item.reason or "") for item in found.figures), found


def test_a_check_that_is_new_or_gone_is_undecided() -> None:
    """Such a check is listed without a verdict, in either direction."""
    rng = random.Random(8)
    found = compare("main", [load_run(rng)], [memory_run(100, 1)])
    assert {(item.check, item.change) for item in found.figures} == {(LOAD, "cannot tell"), (MEMORY, "cannot tell")}
    reasons = {item.check: item.reason for item in found.figures}
    assert reasons == {LOAD: "the later run does not have it", MEMORY: "the baseline does not have it"}


def test_false_alarms_over_all_figures_are_rare() -> None:
    """Identical runs with twenty loads: none of 60 comparisons calls anything worse (1 % would be at most 3)."""
    rng = random.Random(10)
    alarms = 0
    pool = [
        recorded(
            report({f"{LOAD}{i}": load_facts(rng, count=300, windows=10) for i in range(5)}, number=n),
            passed_only=True,
        )
        for n in range(24)
    ]
    for _ in range(60):
        chosen = rng.sample(pool, 6)
        alarms += compare("main", chosen[:5], chosen[5:]).count("regression") > 0
    assert alarms <= 2


def test_failed_checks_are_no_example() -> None:
    """A baseline keeps what passed; a later run is compared whatever its verdict."""
    failed = report({MEMORY: {"tree_rss_mib": 100.0}}, status=Status.FAIL)
    assert recorded(failed, passed_only=True).checks == {}
    assert MEMORY in recorded(failed, passed_only=False).checks


def test_a_fingerprint_names_what_hinders_and_what_differs() -> None:
    """Another host, profile or layout hinders; another version is reported; what is unknown does neither."""
    known = fingerprint_of(report({MEMORY: {"version": "1.2", "tree_rss_mib": 1.0}}))
    assert known.versions == {"api": "1.2"}
    assert known.interfaces["redis"] == "redis:/0"
    assert incompatibilities(known, known) == differences(known, known) == []
    other = report(
        {MEMORY: {"json": {"version": "1.3"}}}, host={**HOST, "cpus": 8, "memory_mib": 16_000, "python": "3.12"}
    )
    assert incompatibilities(known, fingerprint_of(other)) == [
        "another host: processors 2 before, 8 now",
        "another host: memory 6000 MiB before, 16000 MiB now",
    ]
    assert differences(known, fingerprint_of(other)) == [
        "Python: 3.11.9 before, 3.12 now",
        "version of api: 1.2 before, 1.3 now",
    ]
    other_profile = fingerprint_of(report({}, profile="other"))
    assert incompatibilities(known, other_profile) == ["other profiles: phase4.2 before, other now"]
    assert incompatibilities(known, fingerprint_of(report({}, host={"name": "x"}))) == []
