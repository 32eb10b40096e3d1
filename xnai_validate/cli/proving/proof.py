"""The proof: every check passes on a healthy stack, and every defect is caught by the checks named for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from xnai_validate.cli.proving.cover import cover
from xnai_validate.cli.proving.trials import TrialResult, defect_trials, healthy_trials, run_trials, selected
from xnai_validate.cli.terminal.console import print_notice
from xnai_validate.demo.defects import TOPICS
from xnai_validate.errors import ConfigError
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.model.text import printable


@dataclass(frozen=True, slots=True)
class Proof:
    """The results of all trials."""

    healthy: tuple[TrialResult, ...]
    broken: tuple[TrialResult, ...]
    unnamed: tuple[str, ...] = ()
    """Defects for which no check is named."""

    @property
    def passing(self) -> tuple[str, ...]:
        """The checks that pass on the healthy stack of a layout."""
        return tuple(sorted({id_ for result in self.healthy for id_ in result.passed}))

    @property
    def killers(self) -> dict[str, list[str]]:
        """Id of a check that passes on a healthy stack -> the defects under which it fails."""
        killers: dict[str, list[str]] = {id_: [] for id_ in self.passing}
        for result in self.broken:
            for id_ in result.killed:
                if result.trial.defect and id_ in killers:
                    killers[id_].append(result.trial.defect)
        return killers

    def complaints(self) -> Iterator[str]:
        """Yield a sentence for everything that the proof lacks."""
        for result in (*self.healthy, *self.broken):
            if result.broke:
                yield f"{result.trial.name}: the trial could not be run: {result.broke}"
        for name in self.unnamed:
            yield f"{name}: no check is named that must catch it"
        for result in self.healthy:
            for id_ in result.alarms:
                yield f"{result.trial.name}: {id_} is {result.statuses[id_]}: {result.reasons.get(id_, '')}"
        for id_ in sorted({id_ for result in self.healthy for id_ in result.statuses} - set(self.passing)):
            yield f"{id_} passes on no healthy stack"
        for result in self.broken:
            yield from _list_missed(result)
        for id_, defects in self.killers.items():
            if not defects:
                yield f"{id_} fails under no defect"


def _list_missed(result: TrialResult) -> Iterator[str]:
    """Yield a sentence for each check that must have failed and did not."""
    for id_ in result.survived:
        status = result.statuses.get(id_)
        yield f"{result.trial.name}: {id_} must fail, and is {status or 'unknown'}: {result.reasons.get(id_, '')}"
    if not result.killed and not result.broke:
        yield f"{result.trial.name}: no check fails"


def prove_defects(names: tuple[str, ...], profile: str, *, full: bool, covering: bool, jobs: int) -> Proof:
    """Run the trials of some defects, or of healthy stacks and all defects, or, if `covering`, a cover of them.

    `full`: run all checks under each defect, not only those that are named for it. Raises ConfigError.
    """
    known = {defect.name for defect in selected(())}
    if names and covering:
        raise ConfigError("--cover chooses the defects itself", hint="leave out --defect, or --cover")
    for name in names:
        if name not in known:
            raise ConfigError(f'unknown defect "{name}"', hint=did_you_mean(name, known))
    defects = cover(TOPICS) if covering else selected(names)
    healthy = [] if names else healthy_trials()
    broken = defect_trials(defects, full=full)
    results: list[TrialResult] = []
    # Side by side: so the same checks pass on a healthy stack under the load that the other trials are.
    with closing(run_trials([*healthy, *broken], profile, jobs)) as stream:
        for result in stream:
            results.append(result)
            print_notice(f"[{len(results)}/{len(healthy) + len(broken)}] {_summarize_trial(result)}")
    # Load of other trials can hide a defect or delay a healthy stack, and one check can leave the stack so that another
    # cannot be measured: what was missed is tried again, with nothing beside it.
    missed = [trial for result in results if result.missed for trial in result.second_trials()]
    with closing(run_trials(missed, profile, 1)) as stream:
        for result in stream:
            results = [first.with_second(result) for first in results]
            print_notice(f"[again] {_summarize_trial(result)}")
    return Proof(
        tuple(result for result in results if result.trial.defect is None),
        tuple(sorted((result for result in results if result.trial.defect), key=lambda result: result.trial.name)),
        tuple(defect.name for defect in defects if not defect.checks),
    )


def _summarize_trial(result: TrialResult) -> str:
    """Summarize one trial in a line."""
    if result.broke:
        return f"{result.trial.name}: {printable(result.broke)}"
    if result.trial.defect is None:
        return f"{result.trial.name}: {len(result.passed)} passed, {len(result.killed)} failed"
    missed = f", missed by {', '.join(result.survived)}" if result.survived else ""
    return f"{result.trial.name}: caught by {len(result.killed)}{missed}"
