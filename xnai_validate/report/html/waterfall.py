"""The stages of an HTTP exchange one below the other: where its time went."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from xnai_validate.model.json import JsonObject
from xnai_validate.model.results.exchange import Exchange
from xnai_validate.model.results.report import CheckResult
from xnai_validate.model.units import format_ms
from xnai_validate.report.html.scale import Bar, Scale

SLOW_MS = 200.0
"""An exchange that passed has a figure from this duration on."""
_STAGES = {
    "lookup": "name look-up",
    "connect": "connect",
    "tls": "TLS handshake",
    "send": "request sent",
    "wait": "first byte",
    "body": "body",
}


@dataclass(frozen=True, slots=True)
class Stage:
    """One line of the figure."""

    name: str
    took: str
    bar: Bar


@dataclass(frozen=True, slots=True)
class Waterfall:
    """An exchange."""

    stages: tuple[Stage, ...]
    description: str


def waterfall(exchange: Exchange) -> Waterfall | None:
    """Return the figure of an exchange; None without any stage, as of a command to Redis."""
    unfinished = exchange.failure is not None
    return _make_waterfall(exchange.stages.items(), unfinished=unfinished) if exchange.stages else None


def waterfall_of(check: CheckResult) -> Waterfall | None:
    """Return the figure of a check that passed slowly, by its facts; None for any other."""
    facts = check.facts
    total_ms, head_ms = _number_of(facts, "total_ms"), _number_of(facts, "first_byte_ms")
    if check.exchanges or total_ms is None or head_ms is None or total_ms < SLOW_MS or facts.get("redirects"):
        return None
    connect_ms, tls_ms = _number_of(facts, "connect_ms") or 0.0, _number_of(facts, "tls_ms") or 0.0
    stages = {
        "connect": connect_ms,
        "tls": tls_ms,
        "wait": max(head_ms - connect_ms - tls_ms, 0.0),
        "body": max(total_ms - head_ms, 0.0),
    }
    return _make_waterfall([(name, ms) for name, ms in stages.items() if ms], unfinished=False)


def _make_waterfall(stages: Iterable[tuple[str, float]], *, unfinished: bool) -> Waterfall:
    """Make the figure of stages that follow one another; `unfinished`: the last one did not end."""
    known = [(_STAGES.get(name, name), ms) for name, ms in stages]
    scale = Scale(sum(ms for _, ms in known))
    lines: list[Stage] = []
    since_ms = 0.0
    for number, (name, ms) in enumerate(known):
        broke_off = unfinished and number == len(known) - 1
        took = f"{format_ms(ms)}, not ended" if broke_off else format_ms(ms)
        bar = scale.bar(since_ms, since_ms + ms, "broken" if broke_off else "stage", f"{name} {took}")
        lines.append(Stage(name, took, bar))
        since_ms += ms
    return Waterfall(tuple(lines), "Stages: " + ", ".join(stage.bar.label for stage in lines))


def _number_of(facts: JsonObject, name: str) -> float | None:
    """Return a number of the facts; None if it is absent."""
    value = facts.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
