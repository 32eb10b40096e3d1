"""Answers and streams whose numbers are wrong: times, tokens, limits and counters."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

from xnai_validate.demo.api.answers.stream import count_answer, tokens_of
from xnai_validate.demo.api.answers.turn import Turn, token_limit
from xnai_validate.demo.api.monitoring.metrics import Metrics
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.defects.answers.queries import change_body
from xnai_validate.demo.defects.defect import Defect

TOKENS_MISCOUNTED = change_body(
    Defect(
        "tokens-miscounted",
        "The answer reports that it has no tokens.",
        checks=("rag/ready:ladder", "api/query:shape", "api/query:token-limit"),
    ),
    lambda _, body: body | {"tokens_generated": 0},
)

TOKEN_RATE_ZERO = change_body(
    Defect(
        "token-rate-zero",
        "The answer's token rate is always zero.",
        checks=("api/query:shape", "api/query:token-rate"),
    ),
    lambda _, body: body | {"token_rate_tps": 0.0},
)

DURATION_IN_SECONDS = change_body(
    Defect("duration-in-seconds", "The answer's duration_ms is in seconds.", checks=("api/query:shape",)),
    lambda _, body: body | {"duration_ms": round(float(str(body["duration_ms"])) / 1000, 4)},
)

DURATION_TOO_LONG = change_body(
    Defect(
        "duration-too-long",
        "The answer's duration_ms is far longer than the client waited.",
        checks=("rag/consistency:own-time", "rag/consistency:same"),
    ),
    lambda _, body: body | {"duration_ms": float(str(body["duration_ms"])) * 10 + 1000},
)

MAX_TOKENS_IGNORED = Defect(
    "max-tokens-ignored",
    "The answer is as long as it likes, whatever max_tokens is.",
    checks=("api/query:token-limit", "streaming/stream:token-limit"),
)


@MAX_TOKENS_IGNORED.wraps(token_limit)
def limit_of_tier(_: Callable[[Turn], int], /, turn: Turn) -> int:
    """Return the limit of the tier alone: `max_tokens` of the question is ignored."""
    return turn.tier.max_tokens


TIER_IGNORED = change_body(
    Defect(
        "tier-ignored",
        "The answer is as long as max_tokens allows, whatever the tier of degradation is.",
        checks=("api/query:tier-cap",),
        layout="B",
    ),
    lambda question, body: (
        body | {"response": "and on " * (question.max_tokens // 2), "tokens_generated": question.max_tokens}
        if question.max_tokens > 512
        else body
    ),
)

LIMIT_APPLIED_LATE = Defect(
    "stream-limit-applied-late",
    "max_tokens only cuts the stream; the model generates the whole answer all the same.",
    checks=("rag/model:limit-reaches-model",),
)


@LIMIT_APPLIED_LATE.wraps(tokens_of)
def tokens_cut_late(
    _: Callable[[Services, Turn], AsyncGenerator[str, None]], /, services: Services, turn: Turn
) -> AsyncGenerator[str, None]:
    """Have the model generate up to the limit of the tier, and send only the first `max_tokens` tokens."""
    return _first_of_all(services.model.stream(turn.prompt, turn.tier.max_tokens), turn.question.max_tokens)


async def _first_of_all(tokens: AsyncGenerator[str, None], count: int) -> AsyncGenerator[str, None]:
    """The first tokens; the others are generated and dropped."""
    number = 0
    try:
        async for token in tokens:
            number += 1
            if number <= count:
                yield token
    finally:
        await tokens.aclose()


STREAMS_UNCOUNTED = Defect(
    "streams-uncounted", "Streams do not move the counters of questions.", checks=("rag/accounting:streams",)
)


@STREAMS_UNCOUNTED.wraps(count_answer)
def count_nothing(
    _: Callable[[Services, Turn, float], None], /, services: Services, turn: Turn, elapsed_ms: float
) -> None:
    """Leave the counters of questions as they are when a stream ends."""


COUNTED_TWICE = Defect(
    "tokens-counted-twice",
    "The counter of tokens counts each token twice.",
    checks=("rag/accounting:queries", "rag/accounting:streams"),
)


@COUNTED_TWICE.wraps(Metrics.processed)
def process_twice_the_tokens(
    processed: Callable[[Metrics, bool, int, float], None],
    /,
    self: Metrics,
    rag_enabled: bool,
    tokens: int,
    rate_tps: float,
) -> None:
    """Count twice as many tokens as were generated."""
    processed(self, rag_enabled, 2 * tokens, rate_tps)
