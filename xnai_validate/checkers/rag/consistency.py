"""`rag.consistency`: whether a question gets the same answer, time and again and by every way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from xnai_validate.checkers._steps import failure
from xnai_validate.checkers.rag._asking import Asking
from xnai_validate.kit import Context, Count, Facts, Field, Ge, JsonObject, Le, Milliseconds, checker

LISTED_CAP = 20
ROUNDED_MS = 1.0
"""Servers round their times to milliseconds."""
AROUND = 30
"""Characters of each answer that are shown where two differ."""


class ConsistencyParams(Asking):
    """The question, and how often it is asked by each way."""

    options: JsonObject = Field(default={"temperature": 0})
    """Further fields of the request; the temperature must be 0, or answers may differ rightly."""
    times: Annotated[int, Ge(1), Le(20)] = 2
    """How often the question is asked by each way, in turns."""


class Consistent(Facts):
    """All answers together."""

    failed: list[str]
    """The requests that got no answer, in words, the first 20."""
    answers: Count
    """How many answers there are."""
    distinct_answers: Count
    """How many different ones; the space around them does not matter."""
    distinct_sources: Count
    """How many different sets of sources they cite, in whatever order."""
    first_difference: str | None
    """Where the first answer that differs does so, both ways quoted."""
    token_count_difference: Count | None
    """The most by which a stream's last event is wrong about the number of tokens that came."""
    query_token_difference: Count | None
    """The most by which `tokens_generated` differs from the tokens of the stream asked after it."""
    wrong_claims: list[str]
    """What servers claim of their answers and is wrong: numbers of tokens, and times of their own. Empty where they
    claim neither, as those of OpenAI's dialect."""
    server_excess_ms: Milliseconds | None
    """The most by which a server's own time (`duration_ms`, `latency_ms`) is longer than the answer took on the wire,
    which it cannot be: 0 is right, up to a millisecond of rounding. Null where it gives none."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """One answer, and the way that it came."""

    name: str
    """`query 1`, `stream 2`."""
    text: str
    sources: frozenset[str]


@checker(
    "rag.consistency",
    expect={
        "failed": [],
        "distinct_answers": 1,
        "distinct_sources": 1,
        "wrong_claims": [],
    },
    target=False,
)
async def consistency(params: ConsistencyParams, ctx: Context) -> Consistent:
    """Ask the same question whole and as a stream, several times, and compare the answers.

    At temperature 0 the text and the sources must not depend on how, or how often, one asks; a stream must count its
    tokens; and no server can have worked on an answer for longer than it took from the first byte of the request to the
    last of the answer, so its own times are in other units, or of something else, where it declares that.

        kind: rag.consistency
        target: api
        with: {question: "What is Xoe-NovAi?", times: 3}
        expect: {query_token_difference: 0}
    """
    compared = _Compared()
    for number in range(1, params.times + 1):
        query = await ctx.observe(params.query)
        stream = await ctx.observe(params.stream)
        for way, observation, observed in (("query", params.query, query), ("stream", params.stream, stream)):
            compared.add(f"{way} {number}", failure(observation, observed), params, observed.facts)
        compared.count(_number(_document_of(query.facts).get("tokens_generated")), _number(stream.facts.get("tokens")))
    return compared.facts()


class _Compared:
    """Collects answers to the same question, and how they differ."""

    def __init__(self) -> None:
        self._failed: list[str] = []
        self._answers: list[_Answer] = []
        self._token_differences: list[int] = []
        self._query_differences: list[int] = []
        self._excesses_ms: list[float] = []

    def add(self, name: str, failed: str | None, params: Asking, facts: Mapping[str, object]) -> None:
        """Note an answer, or in `failed` the reason for its absence; `facts` are those of its request."""
        text = params.answer_of(facts)
        if failed is not None or text is None or not text.strip():
            self._failed.append(f"{name}: {failed or 'the answer is empty'}")
            return
        self._answers.append(_Answer(name, text.strip(), frozenset(params.sources_of(facts) or ())))
        difference = _number(facts.get("token_count_difference"))
        if difference is not None:
            self._token_differences.append(round(difference))
        claimed_ms = _number(facts.get("done_latency_ms", _document_of(facts).get("duration_ms")))
        measured_ms = _number(facts.get("total_ms"))
        if claimed_ms is not None and measured_ms is not None:
            excess_ms = claimed_ms - measured_ms
            self._excesses_ms.append(excess_ms if excess_ms > ROUNDED_MS else 0.0)

    def count(self, by_query: float | None, by_stream: float | None) -> None:
        """Compare the token counts that the ways claim."""
        if by_query is not None and by_stream is not None:
            self._query_differences.append(round(abs(by_query - by_stream)))

    def facts(self) -> Consistent:
        """Return the facts of all answers."""
        answers = self._answers
        return Consistent(
            failed=self._failed[:LISTED_CAP],
            answers=len(answers),
            distinct_answers=len({answer.text for answer in answers}),
            distinct_sources=len({answer.sources for answer in answers}),
            first_difference=next(
                (_describe_difference(answers[0], other) for other in answers if other.text != answers[0].text), None
            ),
            token_count_difference=max(self._token_differences, default=None),
            query_token_difference=max(self._query_differences, default=None),
            wrong_claims=self._wrong_claims(),
            server_excess_ms=max(self._excesses_ms, default=None),
        )

    def _wrong_claims(self) -> list[str]:
        """Describe the claims that are wrong."""
        tokens, excess_ms = max(self._token_differences, default=0), max(self._excesses_ms, default=0.0)
        claims = [f"the number of tokens is wrong by {tokens}"] if tokens else []
        if excess_ms > 0:
            claims.append(f"the server's own time is {excess_ms:.0f} ms longer than the answer took")
        return claims


def _describe_difference(first: _Answer, second: _Answer) -> str:
    """Describe where two answers begin to differ."""
    pairs = zip(first.text, second.text, strict=False)
    at = next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(first.text), len(second.text)))
    start = max(0, at - AROUND // 2)
    shown = [f"{which.name} has {which.text[start : start + AROUND]!r}" for which in (first, second)]
    return f"at character {at + 1}: {shown[0]}, {shown[1]}"


def _document_of(facts: Mapping[str, object]) -> Mapping[str, object]:
    """Return the JSON document of a response; an empty one if it has none."""
    found = facts.get("json")
    return found if isinstance(found, Mapping) else {}


def _number(value: object) -> float | None:
    """The number that a server claims; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        return None
    return float(value)
