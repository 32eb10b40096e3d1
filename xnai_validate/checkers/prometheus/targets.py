"""`prometheus.targets`: which targets Prometheus can scrape, and why not."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from xnai_validate.checkers.prometheus._api import ApiFacts, ApiParams, call, malformed
from xnai_validate.kit import Context, Count, JsonObject, JsonValue, checker

ERRORS_CAP = 50
"""Targets that are down whose errors are kept."""
Health = Literal["up", "down", "unknown"]


class TargetsParams(ApiParams):
    """Which targets count."""

    job: str | None = None
    """Only the targets of this job (the label `job`)."""


class TargetsFacts(ApiFacts):
    """The active targets."""

    targets: Count | None = None
    """How many there are."""
    up: Count | None = None
    """How many answered their last scrape."""
    down: Count | None = None
    """How many did not."""
    unknown: Count | None = None
    """How many were not scraped yet."""
    up_by_job: dict[str, Count] | None = None
    """Job -> how many of its targets are up; 0 for one whose targets are all down."""
    last_errors: dict[str, str] | None = None
    """Target that is down (`job instance`) -> the error of its last scrape."""


@checker(
    "prometheus.targets",
    expect={"error": None, "query_error": None, "targets": {"min": 1}, "down": 0, "unknown": 0},
    from_workers=True,
)
async def targets(params: TargetsParams, ctx: Context) -> TargetsFacts:
    """Ask Prometheus which of its active targets it can scrape.

    Source: Prometheus' HTTP API, `/api/v1/targets`. Just after a start targets are `unknown`: write `until`.

        kind: prometheus.targets
        target: prometheus
        with: {job: api}
        expect: {up: {min: 2}}
    """
    answer = await call(ctx, "targets", {"state": "active"}, params)
    if answer.data is None:
        return TargetsFacts.model_validate(answer.facts)
    active = answer.data.get("activeTargets")
    if not isinstance(active, list):
        return TargetsFacts.model_validate(malformed(answer, "the data has no `activeTargets`"))
    counted = [each for each in active if isinstance(each, dict)]
    if params.job is not None:
        counted = [each for each in counted if _label_of(each, "job") == params.job]
    health = Counter(str(each.get("health")) for each in counted)
    jobs = {_label_of(each, "job"): 0 for each in counted}
    for each in counted:
        jobs[_label_of(each, "job")] += each.get("health") == "up"
    down = [each for each in counted if each.get("health") == "down"]
    return TargetsFacts.model_validate(
        {
            **answer.facts,
            "targets": len(counted),
            "up": health["up"],
            "down": health["down"],
            "unknown": len(counted) - health["up"] - health["down"],
            "up_by_job": jobs,
            "last_errors": {_name_of(each): str(each.get("lastError", ""))[:500] for each in down[:ERRORS_CAP]},
        }
    )


def _label_of(target: JsonObject, name: str) -> str:
    """Return a label of a target; an empty text if it has none."""
    labels: JsonValue = target.get("labels")
    return str(labels.get(name, ""))[:200] if isinstance(labels, dict) else ""


def _name_of(target: JsonObject) -> str:
    """Return the job and the instance of a target."""
    return f"{_label_of(target, 'job')} {_label_of(target, 'instance')}"
