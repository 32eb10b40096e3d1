"""The life of a fault within a run: recorded, injected, reverted and proven, whatever goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.engine.plans import OK_RULE, Stage, collect, declared, engine_of, make, plan_of, results, scripted
from xnai_validate.engine import Engine, SystemClock, UndoFolder
from xnai_validate.engine.undo.conflicts import refuse_held
from xnai_validate.errors import NotUndone
from xnai_validate.kit import (
    FAULT_MARK,
    ActiveFault,
    Context,
    Facts,
    Fault,
    FaultContext,
    FaultEntry,
    Gone,
    JsonValue,
    NotApplicable,
    Params,
    Undo,
    Unmeasurable,
    checker,
    fault,
)
from xnai_validate.model.results.events import Event, FaultInjected, FaultReverted, RunFinished
from xnai_validate.model.results.status import Status
from xnai_validate.plan import CompiledMeasurement, PlannedCheck, PlannedFault


class Play(Params):
    """What a test wants of a fault."""

    name: str = "it"
    wrong: str = ""
    """In which method something goes wrong, and how: `inject:unmeasurable`."""


class PlayUndo(Undo):
    """Which flag is up."""

    name: str
    wrong: str


RAISED: dict[str, Callable[[], BaseException]] = {
    "na": lambda: NotApplicable("not here"),
    "unmeasurable": lambda: Unmeasurable("cannot"),
    "broken": lambda: KeyError("oh"),
    "gone": lambda: Gone("no more"),
}


class Flags:
    """What is disturbed: flags that are up."""

    def __init__(self) -> None:
        self.up: list[str] = []
        self.calls: list[str] = []
        self.closed = 0

    def fault(self, *, limit_s: float = 60, grace_s: float = 0.4) -> Fault:
        """A fault that raises a flag."""
        flags = self

        @fault("flag.up", limit_s=limit_s, grace_s=grace_s, target=False)
        class Up:
            """Raise a flag."""

            def describe(self, params: Play, target: str) -> str:
                return f"the flag {params.name} is up"

            async def prepare(self, params: Play, ctx: FaultContext) -> PlayUndo:
                await flags.met(params.wrong, "prepare")
                return PlayUndo(name=params.name, wrong=params.wrong)

            async def inject(self, params: Play, undo: PlayUndo, ctx: FaultContext) -> ActiveFault | None:
                flags.calls.append(f"+{undo.name}")
                flags.up.append(undo.name)
                await flags.met(params.wrong, "inject")
                return ActiveFault(close=flags.close)

            async def revert(self, undo: PlayUndo, ctx: FaultContext) -> None:
                flags.calls.append(f"-{undo.name}")
                if undo.wrong != "revert:lies":
                    await asyncio.sleep(0.05)
                    with suppress(ValueError):
                        flags.up.remove(undo.name)
                await flags.met(undo.wrong, "revert")

            async def fingerprint(self, undo: PlayUndo, ctx: FaultContext) -> JsonValue:
                await flags.met(undo.wrong, "fingerprint" if undo.name in flags.up else "-")
                return list(flags.up)

        found: Fault = getattr(Up, FAULT_MARK)
        return found

    async def met(self, wrong: str, where: str) -> None:
        """Do what goes wrong in a method, if it is this one."""
        method, _, how = wrong.partition(":")
        if method != where or how == "lies":
            return
        if how == "hangs":
            await asyncio.sleep(60)
        raise RAISED[how]()

    def close(self) -> None:
        """Called when it is over."""
        self.closed += 1


def under(flags: Flags, *plays: Play, **more: Any) -> tuple[PlannedFault, ...]:
    by = flags.fault(**more)
    return tuple(PlannedFault(by, play, None) for play in plays)


def engine(state: Path, *checks: PlannedCheck, **more: Any) -> Engine:
    """An engine on the machine's own clock, for the guardian is a real process."""
    return engine_of(plan_of(*checks), state, SystemClock(), **more)


def fault_lines(events: list[Event]) -> list[tuple[str, object]]:
    """The events of faults."""
    found: list[tuple[str, object]] = []
    for event in events:
        if isinstance(event, FaultInjected):
            found.append(("injected", event.undo[-1]))
        elif isinstance(event, FaultReverted):
            found.append((f"reverted {event.undo[-1]}", event.proven))
    return found


def run(state: Path, *checks: PlannedCheck, **more: Any) -> list[Event]:
    return asyncio.run(collect(engine(state, *checks, **more)))


def test_the_last_injected_fault_is_reverted_first(tmp_path: Path) -> None:
    """All are active while it is measured; each is proven, its handle closed; no record is left."""
    flags, stage = Flags(), Stage()
    check = make("a", scripted(stage), under=under(flags, Play(name="x"), Play(name="y")))
    events = run(tmp_path, check)
    report, checks = results(events)
    assert checks["a"].status is Status.PASS
    assert flags.calls == ["+x", "+y", "-y", "-x"]
    assert fault_lines(events) == [("injected", "1"), ("injected", "2"), ("reverted 2", True), ("reverted 1", True)]
    assert (flags.up, flags.closed, report.exit_code) == ([], 2, 0)
    assert UndoFolder.below(tmp_path).ids() == ()


def test_it_is_in_force_over_all_attempts(tmp_path: Path) -> None:
    """A check that is tried again is tried under the same fault, injected once."""
    flags, stage = Flags(), Stage()
    from xnai_validate.plan import Retry

    check = make("a", scripted(stage), script={"answers": [500, 200]}, retry=Retry(2, 0.01), under=under(flags, Play()))
    _, checks = results(run(tmp_path, check))
    assert (checks["a"].status, checks["a"].attempts, flags.calls) == (Status.FLAKY, 2, ["+it", "-it"])


@pytest.mark.parametrize(
    ("wrong", "status", "reason", "expected"),
    [
        ("prepare:na", Status.SKIP, "not here", []),
        ("prepare:unmeasurable", Status.ERROR, "cannot", []),
        ("prepare:broken", Status.ERROR, "flag.up cannot be prepared: KeyError: 'oh'", []),
        ("prepare:hangs", Status.ERROR, "flag.up cannot be prepared: no answer within 0.4 s", []),
        ("inject:unmeasurable", Status.ERROR, "cannot", ["+it", "-it"]),
        ("inject:broken", Status.ERROR, "flag.up cannot be injected: KeyError: 'oh'", ["+it", "-it"]),
        ("inject:hangs", Status.ERROR, "flag.up was reverted after its limit of 0.3 s", ["+it", "-it"]),
        ("revert:unmeasurable", Status.PASS, None, ["+it", "-it"]),
        ("revert:broken", Status.PASS, None, ["+it", "-it"]),
        ("revert:gone", Status.PASS, None, ["+it", "-it"]),
    ],
)
def test_whatever_goes_wrong(
    tmp_path: Path, wrong: str, status: Status, reason: str | None, expected: list[str]
) -> None:
    """Before the injection nothing is touched; after it, it is reverted. The fingerprint decides, not the revert."""
    flags, stage = Flags(), Stage()
    check = make("a", scripted(stage), under=under(flags, Play(wrong=wrong), limit_s=0.3))
    report, checks = results(run(tmp_path, check))
    assert (checks["a"].status, checks["a"].reason) == (status, reason)
    assert (flags.calls, flags.up) == (expected, [])
    assert all(fault.proven for fault in report.faults)
    assert report.exit_code in (0, 3)
    assert UndoFolder.below(tmp_path).ids() == ()
    assert (stage.begun == ["a"]) is (status is Status.PASS)


@pytest.mark.parametrize("wrong", ["revert:lies", "revert:hangs", "fingerprint:broken"])
def test_what_is_not_proven_ends_the_run_with_exit_4(tmp_path: Path, wrong: str) -> None:
    """The record stays, no check begins any more, and no other run begins."""
    flags, stage = Flags(), Stage()
    by = scripted(stage)
    # It hangs, or confirms, before the flag is down; and a flag that was up before is not what is proven.
    play = Play(wrong=wrong)
    if wrong != "revert:lies":
        flags.met = _stuck(flags, wrong)  # type: ignore[method-assign]
    later = make("b", by, exclusive=True), make("c", by, needs=("b",), exclusive=True)
    events = run(tmp_path, make("a", by, under=under(flags, play)), *later)
    report, checks = results(events)
    (left,) = UndoFolder.below(tmp_path).ids()
    end = events[-1]
    assert isinstance(end, RunFinished)
    assert (end.not_undone, end.stopped) == ((left,), "not-undone")
    assert (report.exit_code, report.verdict) == (4, "not undone")
    assert checks["a"].status is Status.PASS
    assert stage.begun == ["a"]
    assert checks["b"].reason == "not reached: a fault may still be in force"
    (notice,) = report.notices
    assert "xnai-validate undo repairs it" in notice.text
    with pytest.raises(NotUndone, match="the flag it is up"):
        refuse_held(UndoFolder.below(tmp_path), [])


def _stuck(flags: Flags, wrong: str) -> Any:
    async def met(_: str, where: str) -> None:
        if where == "revert":
            flags.up.append("it")  # it is up again before anybody looks
            if wrong == "revert:hangs":
                await asyncio.sleep(60)
        if where == "fingerprint" and flags.calls[-1:] == ["-it"] and wrong == "fingerprint:broken":
            raise KeyError("oh")

    return met


def test_a_time_out_of_the_check_does_not_cost_the_undo(tmp_path: Path) -> None:
    """The measurement is ended by its time limit, and then the fault is reverted."""
    flags, stage = Flags(), Stage()
    check = make("a", scripted(stage), script={"takes_s": 60.0}, timeout_s=0.2, under=under(flags, Play()))
    _, checks = results(run(tmp_path, check))
    assert (checks["a"].status, checks["a"].reason) == (Status.FAIL, "no result within 0.2 s")
    assert (flags.calls, flags.up) == (["+it", "-it"], [])


def test_it_is_not_in_force_longer_than_its_limit(tmp_path: Path) -> None:
    """It is reverted at its limit even if the check needs it longer; the check could then not be measured."""
    flags, stage = Flags(), Stage()
    check = make("a", scripted(stage), script={"takes_s": 60.0}, under=under(flags, Play(), limit_s=0.2))
    _, checks = results(run(tmp_path, check))
    assert checks["a"].status is Status.ERROR
    assert checks["a"].reason == "flag.up was reverted after its limit of 0.2 s"
    assert flags.up == []


def test_cancelled_again_and_again(tmp_path: Path) -> None:
    """To stop the run and to cut its grace short while it is reverted does not stop that."""
    flags, stage = Flags(), Stage()
    check = make("a", scripted(stage), script={"takes_s": 60.0}, timeout_s=90.0, under=under(flags, Play()))
    running = engine(tmp_path, check)

    def cut_short(event: Event) -> None:
        if isinstance(event, FaultInjected):
            loop = asyncio.get_running_loop()
            loop.call_later(0.1, running.stop, "interrupted")
            for step in range(2, 8):
                loop.call_later(0.1 + step * 0.005, running.cut_grace_short)

    report, _ = results(asyncio.run(collect(running, cut_short)))
    assert (report.exit_code, flags.up, flags.calls) == (130, [], ["+it", "-it"])
    assert [fault.proven for fault in report.faults] == [True]


class Inner(Params):
    """What the checker disturbs."""

    disturb: FaultEntry
    twice: bool = False


class Seen(Facts):
    """The flags that were up."""

    inside: list[str]
    after: list[str]


def test_a_checker_disturbs_for_a_while(tmp_path: Path) -> None:
    """`ctx.disturbed`: active inside, reverted and proven at the exit; again if it likes."""
    flags = Flags()

    @checker("test.disturb", target=False, expect={"after": []})
    async def disturb(params: Inner, ctx: Context) -> Seen:
        """Look at the flags inside and after."""
        for _ in range(2 if params.twice else 1):
            async with ctx.injected(params.disturb):
                inside = list(flags.up)
        return Seen(inside=inside, after=list(flags.up))

    entry = FaultEntry(fault="flag.up")
    (planned,) = under(flags, Play())
    check = make("a", declared(disturb), params=Inner(disturb=entry, twice=True), rules=())
    measurement = check.measurement
    compiled = CompiledMeasurement(measurement.checker, measurement.params, (), None, {}, {entry.key: planned})
    from dataclasses import replace

    report, checks = results(run(tmp_path, replace(check, measurement=compiled)))
    assert checks["a"].facts == {"inside": ["it"], "after": []}
    assert flags.calls == ["+it", "-it", "+it", "-it"]
    assert [fault.proven for fault in report.faults] == [True, True]
    refused, checks = results(run(tmp_path, replace(check, measurement=measurement), run_id="20010909T014640-abcdee"))
    assert checks["a"].status is Status.ERROR
    assert "the params of the check do not contain" in (checks["a"].reason or "")
    assert refused.faults == ()


def test_steps_are_reported_in_their_order(tmp_path: Path) -> None:
    """The record exists before the injection and until the proof; the tests that kill a run rely on these steps."""
    flags, steps = Flags(), []
    folder = UndoFolder.below(tmp_path)

    def on_step(step: str, undo: str) -> None:
        steps.append((step, list(flags.up), len(folder.ids())))

    run(tmp_path, make("a", scripted(Stage()), under=under(flags, Play()), rules=(OK_RULE,)), on_step=on_step)
    assert steps == [
        ("prepared", [], 0),
        ("recorded", [], 1),
        ("injected", ["it"], 1),
        ("reverting", ["it"], 1),
        ("reverted", [], 1),
        ("proven", [], 1),
        ("removed", [], 0),
    ]


def test_where_another_run_has_left_something(tmp_path: Path) -> None:
    """Nothing is disturbed on top of what may be active."""
    folder = UndoFolder.below(tmp_path)
    folder.path.mkdir(parents=True)
    (folder.path / "20200101T000000-aaaaaa.1.json").write_text("{}")
    flags = Flags()
    _, checks = results(run(tmp_path, make("a", scripted(Stage()), under=under(flags, Play()))))
    assert checks["a"].status is Status.ERROR
    assert "another run has left or holds a fault" in (checks["a"].reason or "")
    assert flags.calls == []


def test_without_a_guardian_nothing_is_injected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its process does not start, the check could not be measured."""
    monkeypatch.setattr("xnai_validate.engine.undo.guardian.SHELL", str(tmp_path / "no-shell"))
    flags = Flags()
    _, checks = results(run(tmp_path, make("a", scripted(Stage()), under=under(flags, Play()))))
    assert "the guardian of undo does not start" in (checks["a"].reason or "")
    assert flags.calls == []
    monkeypatch.setattr("xnai_validate.engine.undo.guardian.SHELL", "/bin/true")
    _, checks = results(run(tmp_path, make("a", scripted(Stage()), under=under(flags, Play())), run_id="x"))
    assert "the guardian of undo does not start" in (checks["a"].reason or "")
    assert flags.calls == []
