"""Parameters and facts of `rag.limits`."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from xnai_validate.checkers._http_fields import HttpPath
from xnai_validate.kit import Count, Duration, Facts, Field, Ge, Le, Milliseconds, Params

Group = Literal["lengths", "numbers", "types", "unicode", "malformed"]
GROUPS: tuple[Group, ...] = get_args(Group)
ENVELOPE = (
    "error_code",
    "message",
    "category",
    "http_status",
    "timestamp",
    "details",
    "recovery_suggestion",
    "request_id",
)
"""The parts of every error of the stack."""


class LimitsParams(Params):
    """The endpoint, its limits, and how it refuses."""

    path: HttpPath = "/query"
    """The path of the endpoint, which takes a JSON object by POST."""
    question: str = "What is Xoe-NovAi?"
    """A question that is taken; the inputs vary it."""
    answer: Literal["json", "any"] = "json"
    """What an answer with 200 is: a JSON object, or anything, as for a stream."""
    groups: list[Group] = Field(default_factory=lambda: list(GROUPS), min_length=1)
    """Which inputs are tried."""
    query_characters: Annotated[int, Ge(10), Le(100_000)] = 2000
    """The longest question that is taken; 0 characters are not."""
    max_tokens: Annotated[int, Ge(1), Le(1_000_000)] = 2048
    """The largest `max_tokens` that is taken; the smallest is 1."""
    temperature: Annotated[float, Ge(0)] = 2.0
    """The largest `temperature` that is taken; the smallest is 0."""
    top_p: Annotated[float, Ge(0)] = 1.0
    """The largest `top_p` that is taken; the smallest is 0."""
    refused: list[Annotated[int, Ge(400), Le(499)]] = Field(default_factory=lambda: [400])
    """Statuses with which a wrong input may be refused. What is too large, or of another content type or coding, may
    get 413 and 415 as well."""
    envelope: list[str] = Field(default_factory=lambda: list(ENVELOPE))
    """Fields that every refusal has, as JSON; empty where refusals have no common form."""
    timeout: Duration = 20.0
    """How long each answer may take."""
    concurrent: Annotated[int, Ge(1), Le(16)] = 2
    """How many inputs are tried at once."""


class Limited(Facts):
    """What became of the inputs; each list names inputs, with what they were answered, the first 50."""

    inputs: Count
    """How many inputs were tried."""
    accepted: Count
    """How many were answered with 200."""
    refused: Count
    """How many were refused with 4xx."""
    violations: list[str]
    """Everything that is in one of the lists below."""
    violation_count: Count
    """How many inputs have violations."""
    server_errors: list[str]
    """Answered with 500 or above: nothing that a client sends may do that."""
    wrongly_accepted: list[str]
    """Answered with success, though beyond a limit or no question at all."""
    wrongly_refused: list[str]
    """Refused, though within all limits; or with another status than agreed."""
    without_envelope: list[str]
    """Refused in another form than agreed, or with a status that the envelope contradicts."""
    unanswered: list[str]
    """Without a whole answer."""
    slowest_ms: Milliseconds | None
    """The longest answer."""
