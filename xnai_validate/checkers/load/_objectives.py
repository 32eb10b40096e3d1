"""Service level objectives of a single request: which of the answers of a load are good ones ("goodput").

The words are those of the field: DistServe (https://arxiv.org/abs/2401.09670) counts the requests a second that meet
every objective of their own, and `vllm bench serve` and aiperf report it as goodput.
"""

from __future__ import annotations

from typing import Annotated, Self

from xnai_validate.kit import Duration, Ge, Gt, Le, Params, model_validator

Limit = Annotated[float, Gt(0)]


class Objectives(Params):
    """What a request must meet to be good, all in milliseconds: `{total_ms: 300}`."""

    total_ms: Limit | None = None
    """From the intended start to the end of the answer."""

    @model_validator(mode="after")
    def _require_objective(self) -> Self:
        """Raise ValueError if no objective is named."""
        if not self.model_dump(exclude_none=True):
            raise ValueError(f"objectives need at least one of {', '.join(sorted(type(self).model_fields))}")
        return self


class StreamObjectives(Objectives):
    """What a stream must meet to be good: `{first_token_ms: 500, token_gap_ms: 200, total_ms: 10000}`."""

    first_token_ms: Limit | None = None
    """From the intended start to the first token; a stream without tokens does not meet it."""
    token_gap_ms: Limit | None = None
    """The longest time between two tokens of the stream."""
    mean_gap_ms: Limit | None = None
    """The mean time between the tokens of the stream, which others call TPOT or ITL."""

    def met(self, *, total_s: float, first_s: float | None, gap_s: float, mean_gap_s: float) -> bool:
        """Whether a stream that ended well meets all of them; `first_s` is None for a stream without tokens."""
        measured = (
            (self.total_ms, total_s),
            (self.first_token_ms, first_s),
            (self.token_gap_ms, gap_s),
            (self.mean_gap_ms, mean_gap_s),
        )
        return all(limit is None or (s is not None and s * 1000 <= limit) for limit, s in measured)


class Cancel(Params):
    """Users who leave before the end of their stream: `{share: 0.1, after: 500ms}`."""

    share: Annotated[float, Gt(0), Le(1)]
    """The share of the streams that are cancelled."""
    after: Annotated[Duration, Gt(0)]
    """How long after their beginning; a stream that has ended before is none of them."""
    seed: Annotated[int, Ge(0)] = 0
    """The same seed chooses the same streams."""
