"""What a check found from each of its vantage points: the places in the network that it was measured from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import Field
from pydantic.dataclasses import dataclass

from xnai_validate.model.frozen_model import FROZEN
from xnai_validate.model.json import JsonObject
from xnai_validate.model.judging.findings import Finding
from xnai_validate.model.results.status import Status

HERE = "local"
"""The vantage point that is this process."""
EVERY_WORKER = "workers"
"""The name that stands for every worker of a run."""
AT_ONCE = 64
"""Measurements of a run that workers make at a time."""
AT_ONCE_EACH = 8
"""Measurements of a run that one worker makes at a time."""
SPARE_S = 30.0
"""How much longer than the time limit of the check a worker may take: it imports the kind, and closes connections."""
NAMED = 5
"""Vantage points of the same result that a sentence names."""
GROUPS = 4
"""Different results besides passes that a sentence has."""
_RANKS = (Status.PASS, Status.SKIP, Status.FLAKY, Status.WARN, Status.WAIVED, Status.ERROR, Status.FAIL)


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class VantageResult:
    """A check as it was judged from one place."""

    name: str
    """The name of the worker, `RESOURCE (NAME)` where a check names a resource, or `local` for the process itself."""
    status: Status
    reason: str | None = None
    """One sentence: why the status is not pass."""
    findings: tuple[Finding, ...] = ()
    facts: JsonObject = Field(default_factory=dict)
    elapsed_ms: float = 0.0


def rank(status: Status) -> int:
    """How bad a status is: the worst of all vantage points is that of the check."""
    return _RANKS.index(status)


def describe_vantage(results: Iterable[VantageResult]) -> str:
    """Describe where a check passes and where it does not: `pass at edge; fail at inside: status: expected ...`.

    Equal results stand together; the worst come last, and of many different ones only the worst are described.
    """
    groups: dict[tuple[Status, str | None], list[str]] = {}
    for result in results:
        groups.setdefault((result.status, result.reason), []).append(result.name)
    ordered = sorted(groups.items(), key=lambda group: rank(group[0][0]))
    passed = [group for group in ordered if group[0][0] is Status.PASS]
    others = ordered[len(passed) :]
    hidden = sum(len(names) for _, names in others[:-GROUPS])
    parts = [_describe_group(*group) for group in (*passed, *others[-GROUPS:])]
    return "; ".join([*parts, f"and {hidden} more did not pass"] if hidden else parts)


def _describe_group(result: tuple[Status, str | None], names: Sequence[str]) -> str:
    """Describe one result and where it was got."""
    status, reason = result
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{status.value} at {', '.join(names[:NAMED])}{more}" + (f": {reason}" if reason else "")
