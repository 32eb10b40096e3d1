"""`load.flow`: many conversations, each a flow of steps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any, Self

from xnai_validate.checkers.load._flow.line import FlowLine
from xnai_validate.checkers.load._flow.tally import FlowTally, StepTimes
from xnai_validate.checkers.load._generator.drive import Drive
from xnai_validate.checkers.load._generator.figures import load_figures, ms
from xnai_validate.checkers.load._generator.runner import Load, ThisProcess
from xnai_validate.checkers.load._models import LoadFacts, LoadParams, load_waits
from xnai_validate.kit import (
    Context,
    Count,
    Duration,
    Gt,
    Histogram,
    Milliseconds,
    Observation,
    checker,
    model_validator,
)

KIND = "flow.steps"


class FlowLoad(LoadParams):
    """The conversation, and how many users hold one when."""

    flow: Observation
    """The conversation: `kind: flow.steps` with its steps; `think` is the time between two turns."""
    timeout: Annotated[Duration, Gt(0)] = 60.0
    """How long a conversation may take, think time included."""

    @model_validator(mode="after")
    def _is_flow(self) -> Self:
        """Raise ValueError if `flow` is of another kind."""
        if self.flow.kind != KIND:
            raise ValueError(f"flow must be of the kind {KIND}")
        return self


class FlowLoadFacts(LoadFacts):
    """The figures of a load of conversations.

    A request is a conversation: answered where all of its steps held, else an error of the kind `step NAME`. Latency is
    that of whole conversations, think time included; the facts `step_...` have those of the turns, by their names.
    """

    step_counts: dict[str, Count]
    """Name of a step -> how often it was made."""
    step_errors: dict[str, Count]
    """Name of a step -> how often it did not hold."""
    step_p50_ms: dict[str, Milliseconds]
    """Name of a step -> the median time from its request to its end."""
    step_p95_ms: dict[str, Milliseconds]
    """The time that 95 % stay within."""
    step_p99_ms: dict[str, Milliseconds]
    """The time that 99 % stay within."""
    step_first_token_p50_ms: dict[str, Milliseconds]
    """Name of a step that is a stream -> the median time to its first token, from its request."""
    step_first_token_p95_ms: dict[str, Milliseconds]
    """The time to the first token that 95 % stay within."""
    step_first_token_p99_ms: dict[str, Milliseconds]
    """The time that 99 % stay within."""
    step_gap_p50_ms: dict[str, Milliseconds]
    """Name of such a step -> the longest gap between two tokens: of the median stream."""
    step_gap_p95_ms: dict[str, Milliseconds]
    """The longest gap that 95 % of the streams stay within."""
    step_gap_p99_ms: dict[str, Milliseconds]
    """The longest gap that 99 % stay within."""


@checker(
    "load.flow",
    expect={"error_ratio": 0, "not_sent_count": 0, "ended_early": False},
    exclusive=True,
    target=False,
    waits=load_waits,
)
async def flow(params: FlowLoad, ctx: Context) -> FlowLoadFacts:
    """Let virtual users hold conversations of several turns, on a schedule or in a closed loop, and measure each turn.

    Each turn sends what earlier ones have captured, such as the answers so far; every user has captures of its own, and
    after the last turn begins anew (`callers`), or makes room for the next (`arrivals`: conversations a second). A turn
    that does not hold ends its conversation. Users are at work until the load's time is over, and end the conversation
    that they hold then. Nothing else runs meanwhile.

        kind: load.flow
        target: llm
        timeout: 3m
        with:
          callers: 20
          for: 1m
          flow:
            kind: flow.steps
            with:
              think: 2s
              values: {model: llama}
              steps:
                - name: first
                  kind: sse.stream
                  with:
                    path: /v1/chat/completions
                    json: {model: "{{model}}", stream: true, messages: [{role: user, content: "What is Redis?"}]}
                  capture: {answer: {fact: text}}
                - name: second
                  kind: sse.stream
                  with:
                    path: /v1/chat/completions
                    json:
                      model: "{{model}}"
                      stream: true
                      messages:
                        - {role: user, content: "What is Redis?"}
                        - {role: assistant, content: "{{answer}}"}
                        - {role: user, content: "And what is it for?"}
        expect: {error_ratio: 0, step_first_token_p95_ms: {second: {max: 500}}}
    """
    drive = Drive(params, ctx)
    drive.make_tally = FlowTally
    drive.progress_unit = "conversations"

    @asynccontextmanager
    async def lines() -> AsyncIterator[Callable[[], FlowLine]]:
        yield lambda: FlowLine(drive, params.flow, ctx)

    # Its steps are observations of this run, so workers take no share of it.
    await ThisProcess().run(Load("load.flow", params, ctx, drive, lines))
    tally = drive.tally
    assert isinstance(tally, FlowTally)
    return FlowLoadFacts(
        **load_figures(drive),
        step_counts=dict(tally.made),
        step_errors={name: count for name, count in tally.broken.items() if count},
        **_percentiles("step", tally, lambda times: times.total),
        **_percentiles("step_first_token", tally, lambda times: times.first_token),
        **_percentiles("step_gap", tally, lambda times: times.gap),
    )


def _percentiles(name: str, tally: FlowTally, of: Callable[[StepTimes], Histogram]) -> dict[str, Any]:
    """Three facts, each with the times of the steps that have any."""
    return {
        f"{name}_p{percent}_ms": {
            step: ms(of(times).quantile(percent / 100)) for step, times in tally.steps.items() if of(times).count
        }
        for percent in (50, 95, 99)
    }
