"""Defects that show only when something fails: what is said then, how far it spreads, and whether it ends."""

from __future__ import annotations

from xnai_validate.demo.defects.entry import Defect

_CHAIN = "errors/chain:"
_OUTAGE = "recovery/outage:"
_CASCADE = "dependencies/cascade:"

_ERRORS = (
    Defect(
        "timeout-is-200",
        "A question that the model did not answer in time is answered with 200 and nothing.",
        checks=(f"{_CHAIN}model-silent", f"{_CHAIN}model-silent-gateway"),
    ),
    Defect(
        "timeout-plain",
        "A time-out of the model is told as plain text.",
        checks=(f"{_CHAIN}model-silent", f"{_CHAIN}model-silent-gateway"),
    ),
    Defect(
        "timeout-leaks", "The message of a time-out names a file and an address.", checks=(f"{_CHAIN}model-silent",)
    ),
    Defect(
        "query-waits-for-ever",
        "The API waits 45 seconds for a model that does not answer.",
        checks=(f"{_CHAIN}model-silent",),
    ),
    Defect(
        "stream-error-swallowed",
        "A failure of the model is told as a normal end.",
        checks=(f"{_CHAIN}stream-told", "rag/failure:silent-stream"),
    ),
    Defect(
        "stream-error-leaks",
        "The error event holds a stack trace.",
        checks=(f"{_CHAIN}stream-told", "rag/failure:silent-stream"),
    ),
    Defect(
        "gateway-impatient",
        "A stream that is silent for half a heartbeat is cut off.",
        checks=(f"{_CHAIN}stream-gateway",),
    ),
    Defect(
        "gateway-200-when-down",
        "A dead upstream is answered with 200 and a friendly page.",
        checks=("errors/gateway:upstream-down",),
    ),
    Defect(
        "gateway-waits-when-down",
        "A dead upstream is told only after twelve seconds.",
        checks=("errors/gateway:upstream-down",),
    ),
    Defect(
        "gateway-502-leaks",
        "The page for a dead upstream shows its address and a stack trace.",
        checks=("errors/gateway:no-details",),
    ),
    Defect(
        "query-needs-redis",
        "A question that cannot be written to Redis is not answered.",
        checks=(
            f"{_CHAIN}redis-silent",
            f"{_CHAIN}redis-read-only",
            f"{_CHAIN}redis-full",
            f"{_CASCADE}redis",
        ),
    ),
    Defect(
        "redis-never-tried-again",
        "Once Redis has not answered, the API never asks it again.",
        checks=(f"{_OUTAGE}redis-paused", "recovery/restart:redis"),
    ),
)

_CASCADES = tuple(
    Defect(
        f"query-needs-{part}",
        f"Every question asks {what} first, and waits for it.",
        checks=(f"{_CASCADE}{part}",),
    )
    for part, what in (
        ("vikunja", "Vikunja"),
        ("voice", "the voice service"),
        ("docs", "the documentation server"),
        ("ui", "the user interface"),
    )
)

_RESTARTS = tuple(
    Defect(
        f"{part}-not-restarted",
        f"{what} has no restart policy: once it has crashed it stays away.",
        checks=tuple(f"recovery/restart:{name}" for name in names),
    )
    for part, what, names in (
        ("api", "The API", ("api",)),
        ("llm", "The model server", ("model",)),
        ("redis", "Redis", ("redis",)),
        ("gateway", "The gateway", ("gateway",)),
        ("ui", "The user interface", ("ui",)),
        ("docs", "The documentation server", ("docs",)),
        ("vikunja", "Vikunja", ("vikunja",)),
        ("voice", "The voice service", ("voice",)),
    )
)

_GRUDGES = (
    Defect(
        "model-never-tried-again",
        "Once the model has not answered in time, the API never asks it again.",
        checks=(f"{_OUTAGE}model-paused", f"{_CHAIN}model-back", f"{_CHAIN}stream-back"),
    ),
    Defect(
        "query-drops-with-redis",
        "A question that finds its connection to Redis closed is not answered.",
        checks=(f"{_CHAIN}redis-hangs-up",),
    ),
    Defect(
        "redis-lost-for-good",
        "A connection to Redis that was closed counts as a Redis that is gone for ever.",
        checks=(f"{_OUTAGE}redis-hung-up",),
    ),
    Defect(
        "redis-refusal-remembered",
        "Once Redis has refused a write, it is said to be broken for ever.",
        checks=(f"{_OUTAGE}redis-read-only", f"{_OUTAGE}redis-full"),
    ),
    Defect(
        "api-hangs-after-pause",
        "Once the API has stood still for a second, it answers no question any more.",
        checks=(f"{_OUTAGE}api-paused",),
    ),
)

_ENDINGS = (
    Defect(
        "restarted-on-failure-only",
        "What ends in good order is not started again, as with `restart: on-failure`.",
        checks=("recovery/restart:api-asked-to-end",),
    ),
)

FAILING: tuple[Defect, ...] = (*_ERRORS, *_CASCADES, *_RESTARTS, *_GRUDGES, *_ENDINGS)
"""All of them."""
