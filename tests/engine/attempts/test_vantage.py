"""One attempt from several places: the worst counts, all results are kept, and no place that is lost passes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.engine.plans import Answer, Stage, collect, engine_of, finished, make, plan_of, scripted
from xnai_validate.engine.attempts.lateness import Lateness
from xnai_validate.engine.attempts.vantage import VANTAGE_POINTS, Measured
from xnai_validate.engine.events import emit
from xnai_validate.errors import NotApplicable, Unmeasurable
from xnai_validate.kit import Context
from xnai_validate.model.json import JsonValue, to_json
from xnai_validate.model.judging.rules import Rule
from xnai_validate.model.results.events import CheckFinished
from xnai_validate.model.results.status import Status
from xnai_validate.model.results.vantage import VantageResult, describe_vantage
from xnai_validate.plan import CompiledMeasurement, Retry, Until

SECRET = "correct-horse-battery-staple"
TOKEN = "7f3a9c21d44e4b0aa91b6f5d2c8e"
Answers = Sequence[int | Exception | None]
"""A status an attempt, the last for all that follow; None is a measurement that the time limit ended."""


@dataclass(slots=True)
class Place:
    """A vantage point that answers as a test scripts."""

    name: str
    answers: Answers
    tries: int = 0

    async def measure(self, measurement: CompiledMeasurement, ctx: Context, timeout_s: float) -> Measured:
        """Return the next answer."""
        answer = self.answers[min(self.tries, len(self.answers) - 1)]
        self.tries += 1
        if isinstance(answer, Exception):
            raise answer
        headers = {"authorization": f"Bearer {TOKEN}"}
        facts = None if answer is None else Answer(status=answer, text=SECRET, headers=headers)
        return Measured(facts, 5.0, Lateness())


@dataclass(frozen=True, slots=True)
class Places:
    """The vantage points of a run."""

    places: tuple[Place, ...]

    def points(self, names: Sequence[str]) -> Sequence[Place]:
        """Return those of these names. Raises Unmeasurable for another."""
        known = {place.name: place for place in self.places}
        if unknown := set(names) - set(known):
            raise Unmeasurable(f"no worker {unknown.pop()}")
        return [known[name] for name in names]


def ended(
    state: Path, places: Mapping[str, Answers] | None, *, here: bool = False, rule: Rule | None = None, **more: Any
) -> CheckFinished:
    """How a check ends that is measured from these places, and from here."""
    answers: tuple[JsonValue, ...] = (200,)
    names = (*(("local",) if here else ()), *(places if places is not None else ("edge",)))
    rules = (rule or Rule("status", "equals", 200),)
    check = make("tests/it:places", scripted(Stage()), script={"answers": answers}, rules=rules, vantage=names, **more)

    async def run() -> CheckFinished:
        if places is not None:
            VANTAGE_POINTS.set(Places(tuple(Place(name, answers) for name, answers in places.items())))
        plan = plan_of(check, secrets=frozenset({SECRET}))
        return finished(await collect(engine_of(plan, state)))[check.id]

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("edge", "inside", "status", "reason"),
    [
        ([200], [200], Status.PASS, None),
        ([200], [503], Status.FAIL, "pass at edge; fail at inside: status: expected 200, got 503"),
        ([503], [503], Status.FAIL, "fail at edge, inside: status: expected 200, got 503"),
        ([200], [Unmeasurable("lost")], Status.ERROR, "pass at edge; error at inside: lost"),
        ([500], [Unmeasurable("lost")], Status.FAIL,
         "error at inside: lost; fail at edge: status: expected 200, got 500"),
        ([NotApplicable("no")], [NotApplicable("no")], Status.SKIP, "skip at edge, inside: no"),
        ([200], [NotApplicable("no")], Status.ERROR, "pass at edge; error at inside: not measured: no"),
        ([200], [None], Status.FAIL, "pass at edge; fail at inside: no result within 30 s"),
        ([200], [RuntimeError("x")], Status.ERROR, None),
    ],
)  # fmt: skip
def test_the_worst_place_decides(
    tmp_path: Path, edge: Answers, inside: Answers, status: Status, reason: str | None
) -> None:
    """A failure outranks a place that was not measured, which outranks a pass; no error ends the run."""
    end = ended(tmp_path, {"edge": edge, "inside": inside})
    assert end.status is status
    if reason is not None or status is Status.PASS:
        assert end.reason == reason
    assert [place.name for place in end.vantage] == ["edge", "inside"]


def test_this_process_is_a_place_as_well(tmp_path: Path) -> None:
    """What is measured here stands beside the others; without any workers it is measured here alone, or skipped."""
    assert [place.name for place in ended(tmp_path, {"edge": [200]}, here=True).vantage] == ["local", "edge"]
    alone = ended(tmp_path, None, here=True)
    assert (alone.status, [place.name for place in alone.vantage]) == (Status.PASS, ["local"])
    assert ended(tmp_path, None).status is Status.SKIP


def test_all_places_are_measured_again(tmp_path: Path) -> None:
    """With `retry` a later pass is flaky, with `until` it is a pass."""
    places: dict[str, Answers] = {"edge": [200], "inside": [503, 200]}
    flaky = ended(tmp_path, places, retry=Retry(2))
    before = "pass at edge; fail at inside: status: expected 200, got 503"
    assert (flaky.status, flaky.reason, flaky.attempts) == (
        Status.FLAKY,
        f"passed at attempt 2; before that: {before}",
        2,
    )
    assert ended(tmp_path, places, until=Until(10.0)).status is Status.PASS


def test_secrets_are_masked_in_the_results_of_places(tmp_path: Path) -> None:
    """Known secrets and those under a secret name stand in no part of the event."""
    end = ended(tmp_path, {"edge": [200]}, rule=Rule("text", "equals", f"not {SECRET}"))
    text = to_json(end).decode()
    assert (end.status, SECRET in text, TOKEN in text, "***" in str(end.vantage[0].reason)) == (
        Status.FAIL,
        False,
        False,
        True,
    )


def test_an_event_stays_within_its_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of too many facts none is kept, and the results of all places stay."""
    monkeypatch.setattr(emit, "EVENT_CAP", 1500)
    places: dict[str, Answers] = {f"worker-{number}": [200] for number in range(9)}
    end = ended(tmp_path, places)
    assert [(place.status, place.facts) for place in end.vantage] == [(Status.PASS, {})] * 9


def test_of_many_places_the_sentence_names_some() -> None:
    """The worst results are described, equal ones together, and the others counted."""
    passed = [VantageResult(name=f"p{number}", status=Status.PASS) for number in range(7)]
    failed = [VantageResult(name=f"f{number}", status=Status.FAIL, reason=f"reason {number}") for number in range(6)]
    lost = [VantageResult(name="lost", status=Status.ERROR, reason="gone")]
    assert describe_vantage([*passed, *failed, *lost]) == (
        "pass at p0, p1, p2, p3, p4 and 2 more; fail at f2: reason 2; fail at f3: reason 3; fail at f4: reason 4; "
        "fail at f5: reason 5; and 3 more did not pass"
    )
