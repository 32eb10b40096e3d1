"""One call through a breaker, and its outcome by the answer: it succeeded, it failed, or it was refused."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from xnai_validate.kit import Context, JsonValue, Observation, Observed, Unmeasurable, http_date_s
from xnai_validate.wire.content import document_of

CIRCUIT_OPEN = "circuit_open"
NO_OBJECT = "the body is not a JSON object"
_REFUSED = 503
_ENVELOPE = (
    "error_code", "message", "category", "http_status", "timestamp", "details", "recovery_suggestion", "request_id",
)  # fmt: skip
_REQUEST_ID = re.compile(r"req_[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", re.IGNORECASE)


class Outcome(StrEnum):
    """What became of a call."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    """There was no whole answer: what the breaker made of it is not known."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call; times are of the monotonic clock, in seconds."""

    sent_s: float
    answered_s: float
    written_s: float
    """When the whole request was written, at the latest."""
    outcome: Outcome
    status: int | None
    latency_ms: float
    timed_out: bool
    """Whether the answer, or its absence, is that of a time-out."""
    retry_after_s: float | None
    """Seconds to wait by the Retry-After of a refusal; null if it is missing or malformed."""
    envelope_faults: tuple[str, ...]
    """What is wrong with the envelope of a refusal, in words."""
    summary: str
    """The answer in a few words."""

    @property
    def span(self) -> tuple[float, float]:
        """When it was sent, and answered."""
        return self.sent_s, self.answered_s

    @property
    def from_breaker(self) -> bool:
        """Whether the answer certainly came from the service with the breaker, not from a gateway before it."""
        return self.outcome is Outcome.SUCCEEDED or (
            self.outcome is Outcome.REFUSED and NO_OBJECT not in self.envelope_faults
        )

    @property
    def let_through(self) -> bool:
        """Whether the breaker certainly let it through."""
        return self.outcome in (Outcome.SUCCEEDED, Outcome.FAILED)


@dataclass(slots=True)
class CallsMade:
    """How many calls of this run a breaker has not refused, and so may have counted."""

    count: int = 0


async def calls_made(ctx: Context, service: str) -> CallsMade:
    """Return the count of the calls that this run has made through a breaker."""
    return await ctx.shared(("breaker", "calls made", service), _hold_count)


@asynccontextmanager
async def _hold_count() -> AsyncIterator[CallsMade]:
    """Yield the count for as long as the run lasts."""
    yield CallsMade()


async def make(ctx: Context, observation: Observation, service: str) -> Call:
    """Make a call and read its answer.

    A refusal is an answer with the error code or category `circuit_open`, or, without an error code, one with status
    503. Every other answer succeeded if the rules of the observation hold, and failed if they do not. Raises
    Unmeasurable for a status of 400 to 499: the API rejected the request before the breaker.
    """
    sent_s = ctx.clock.monotonic()
    observed = await ctx.observe(observation)
    answered_s = ctx.clock.monotonic()
    facts = observed.facts
    status, body = facts.get("status"), _body(facts)
    outcome = _classify(observed, status, body)
    (await calls_made(ctx, service)).count += outcome is not Outcome.REFUSED
    if outcome is Outcome.FAILED and status is not None and 400 <= status < 500:
        raise Unmeasurable(
            f"a call through the breaker {service} got status {status}: the API rejected the request itself",
            hint="correct the request of the check",
        )
    refused = outcome is Outcome.REFUSED
    headers = facts.get("headers") or {}
    total_ms = facts.get("total_ms")
    return Call(
        sent_s,
        answered_s,
        answered_s - _response_time_ms(facts) / 1000,
        outcome,
        status,
        total_ms if total_ms is not None else (answered_s - sent_s) * 1000,
        timed_out=status == 504 or facts.get("error") == "timeout",
        retry_after_s=retry_after_s(headers.get("retry-after"), ctx.clock.time()) if refused else None,
        envelope_faults=tuple(envelope_faults(body, status, headers, service)) if refused else (),
        summary=_summarize(facts, status, body),
    )


def _response_time_ms(facts: Mapping[str, Any]) -> float:
    """Return the milliseconds from writing the request on an open connection to the end of its response."""
    total_ms = facts.get("total_ms") or 0.0
    return max(0.0, total_ms - (facts.get("connect_ms") or 0.0) - (facts.get("tls_ms") or 0.0))


def _body(facts: Mapping[str, Any]) -> JsonValue:
    """The JSON document of an answer; an `sse.stream` gives an answer that is not a stream as text."""
    document: JsonValue = facts.get("json")
    if document is None and isinstance(facts.get("body"), str):
        document, _ = document_of(facts["body"])
    return document


def _classify(observed: Observed, status: int | None, body: JsonValue) -> Outcome:
    """Return the outcome of a call by its status and error envelope."""
    envelope = body if isinstance(body, dict) else {}
    if envelope.get("category") == CIRCUIT_OPEN or _is_circuit_open(envelope.get("error_code")):
        return Outcome.REFUSED
    if status == _REFUSED and "error_code" not in envelope:
        return Outcome.REFUSED
    if observed.held:
        return Outcome.SUCCEEDED
    if "status" in observed.facts and (status is None or observed.facts.get("error") is not None):
        return Outcome.UNANSWERED
    return Outcome.FAILED


def _summarize(facts: Mapping[str, Any], status: int | None, body: JsonValue) -> str:
    """Summarize a call by its status, error code and error."""
    code = body.get("error_code") if isinstance(body, dict) else None
    words = [str(part) for part in (status, code, facts.get("error")) if part is not None]
    return " ".join(words)[:100] or "no answer"


def retry_after_s(value: str | None, now_s: float) -> float | None:
    """The seconds to wait by a Retry-After header (RFC 9110 section 10.2.3).

    It is a number of whole seconds or a date; None for anything else.
    """
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value) if len(value) < 10 else None
    at_s = http_date_s(value)
    return None if at_s is None else max(0.0, at_s - now_s)


def envelope_faults(body: JsonValue, status: int | None, headers: Mapping[str, str], service: str) -> list[str]:
    """How a refusal differs from the error envelope that the stack promises, in words."""
    if not isinstance(body, dict):
        return [NO_OBJECT]
    faults = [f"{name} is missing" for name in _ENVELOPE if name not in body]
    if "error_code" in body and not _is_circuit_open(body["error_code"]):
        faults.append(f"error_code does not begin with {CIRCUIT_OPEN}")
    expected = {"category": CIRCUIT_OPEN, "http_status": status}
    faults += [f"{name} is not {value}" for name, value in expected.items() if name in body and body[name] != value]
    details = body.get("details")
    if "details" in body and (not isinstance(details, dict) or details.get("service_name") != service):
        faults.append(f"details.service_name is not {service}")
    if "timestamp" in body and not _is_utc(body["timestamp"]):
        faults.append("timestamp is not ISO 8601 in UTC")
    if "request_id" in body:
        request_id = str(body["request_id"])
        if not _REQUEST_ID.fullmatch(request_id):
            faults.append("request_id is not req_ and a UUID")
        if headers.get("x-request-id") != request_id:
            faults.append("request_id is not that of the header X-Request-ID")
    return faults


def _is_circuit_open(error_code: JsonValue) -> bool:
    """Whether an error code names an open circuit: the stack's own exceptions add `_` and a suffix to the category."""
    return isinstance(error_code, str) and (error_code == CIRCUIT_OPEN or error_code.startswith(f"{CIRCUIT_OPEN}_"))


def _is_utc(value: JsonValue) -> bool:
    """Whether a value is an instant in UTC (ISO 8601 with Z)."""
    try:
        return isinstance(value, str) and value.endswith("Z") and datetime.fromisoformat(value) is not None
    except ValueError:
        return False
