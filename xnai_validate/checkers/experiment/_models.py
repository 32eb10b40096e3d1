"""What an experiment is made of, and what it measures."""

from __future__ import annotations

from typing import Annotated

from xnai_validate.kit import (
    STEADY_WITHIN_S,
    Count,
    Duration,
    Facts,
    FaultEntry,
    Field,
    Ge,
    Gt,
    Inner,
    Le,
    Milliseconds,
    Observation,
    Params,
    Ratio,
    Waits,
    at_once,
    in_turn,
)


class ExperimentParams(Params):
    """What is disturbed, what is asked meanwhile, and for how long."""

    disturb: list[FaultEntry] = Field(min_length=1, max_length=8)
    """The faults; all are in force at once, put in force in this order."""
    probe: Observation
    """What is asked again and again, before, during and after: when its rules hold, the stack is steady."""
    every: Annotated[Duration, Gt(0)] = 0.1
    """Between the end of one probe and the begin of the next."""
    before: Duration = 0.3
    """For how long the stack must be steady before anything is disturbed."""
    steady_within: Duration = STEADY_WITHIN_S
    """How long the stack has to become steady before; after that, nothing is disturbed, and the check is an error."""
    hold: Duration = 2.0
    """How long the faults are in force at least; longer where `during` takes longer, or a look at the bystanders."""
    during: list[Observation] = Field(default_factory=list, max_length=32)
    """What must hold while the faults are in force; made one after the other, once."""
    recover: Duration = 30.0
    """How long the stack may take until it is steady again."""
    steady: Annotated[int, Ge(1), Le(100)] = 3
    """How many probes one after the other must hold, before and after."""
    bystanders: dict[str, Observation] = Field(default_factory=dict, max_length=16)
    """Name -> what is asked of other parts of the stack, for the blast radius."""
    again: dict[str, Observation] = Field(default_factory=dict, max_length=16)
    """Name -> what must hold again at the end, of what held before; not asked while the faults are in force. What did
    not hold before is left out; where nothing of it did, the check is an error."""


def experiment_waits(params: ExperimentParams, inner: Inner) -> Waits:
    """How long an experiment takes: the stack is steady, disturbed, and steady again."""
    probe, during = inner(params.probe), in_turn(params.during, inner)
    beside = at_once((*params.bystanders.values(), *params.again.values()), inner)
    steady_s = params.steady * (params.every + probe.usual_s)
    # The wait for a steady stack adapts to a shorter time limit, unless it is given.
    first_s = params.steady_within if "steady_within" in params.model_fields_set else params.before
    return Waits(
        usual_s=max(params.before, steady_s) + max(params.hold, during.usual_s) + steady_s + beside.usual_s,
        longest_s=first_s + max(params.hold, during.most_s) + params.recover + 2 * (probe.most_s + beside.most_s),
        held_s=max(params.hold, during.most_s) + beside.most_s,
    )


class Experiment(Facts):
    """How the stack behaved before, during and after the faults; a probe passes if its rules hold, else it fails."""

    detected_ms: Milliseconds | None = None
    """From the moment all faults were in force to the end of the first probe that failed; null if all passed."""
    requests_during: Count = 0
    """How many probes began while the faults were in force, or failed while they were injected."""
    requests_failed_during: Count | None = 0
    """How many of those probes failed; null without such probes: then a rule about it is not judged."""
    failed_ratio_during: Ratio | None = 0.0
    """The share of those probes that failed; null without such probes."""
    slowest_during_ms: Milliseconds | None = None
    """The duration of the slowest of those probes, measured at the client; of a probe that began before the faults were
    in force and passed, the part since then. Null where no probe was made."""
    error_kinds: list[str] = Field(default_factory=list)
    """Why probes failed, each kind once, sorted: `timeout`, `status 503`, else the fact that broke a rule: `json`."""
    during_failed: list[str] | None = Field(default_factory=list)
    """Which expectations of `during` did not hold, in words; null where a time limit could not be judged."""
    recovered_ms: Milliseconds | None = None
    """From the start of the revert until the stack was steady; null if it was not steady in time."""
    outage_ms: Milliseconds | None = None
    """From the first failed probe until the stack was steady; null if all passed or it was not steady in time."""
    blast_radius: list[str] | None = Field(default_factory=list)
    """The names of the bystanders that held before and failed while the faults were in force; sorted. Null where none
    failed and one could not be judged."""
    blast_radius_detail: str | None = None
    """Why they failed, in words; the last reason of each."""
    left_out: list[str] = Field(default_factory=list)
    """The names of what did not hold before, of `again`: whether it comes back cannot be known."""
    left_out_detail: str | None = None
    """Why it did not, in words; null where all held."""
    steady_after: bool | None = False
    """Whether the probe, all bystanders and all of `again` that held before hold at the end; null where all
    hold that could be judged."""
    steady_after_detail: str | None = None
    """What does not, in words; null where all hold."""
    unsteady_after: list[str] | None = Field(default_factory=list)
    """What does not hold at the end: the failed probe in words, the names of bystanders and of `again`; null where all
    hold that could be judged."""
