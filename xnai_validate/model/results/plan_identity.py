"""What identifies the plan of a run, so that another process can finish that run and no other."""

from __future__ import annotations

from pydantic import Field
from pydantic.dataclasses import dataclass

from xnai_validate.model.frozen_model import FROZEN


@dataclass(frozen=True, slots=True, kw_only=True, config=FROZEN)
class PlanIdentity:
    """Digests of what was planned. Secrets are masked before: another password makes no other plan."""

    files: dict[str, str]
    """Suite file -> digest of its checks, as they were planned."""
    vars: dict[str, str]
    """Name of a var -> digest of its value."""
    targets: dict[str, str | None]
    """Target -> its url, credentials masked."""
    criteria: str
    """Digest of the success criteria."""
    nonce: str | None = None
    """The random text that makes the test data of the run its own (`run.nonce`); a run that resumes it takes it over,
    since later checks may look for what earlier ones wrote."""
    skips: dict[str, int] = Field(default_factory=dict)
    """Why checks were skipped before the run -> how many."""


def differences(before: PlanIdentity, now: PlanIdentity) -> list[str]:
    """Return what differs between two plans, a sentence each; empty if they are the same.

    Other vars change the checks that use them, so files are compared only where vars and targets are the same.
    """
    changes = [
        f"target {name}: {before.targets.get(name) or 'none'} before, {now.targets.get(name) or 'none'} now"
        for name in sorted(before.targets.keys() | now.targets.keys())
        if before.targets.get(name) != now.targets.get(name)
    ]
    changes += [f"var {name}" for name in _changed_names(before.vars, now.vars)]
    for reason in sorted(before.skips.keys() | now.skips.keys()):
        then_count, now_count = before.skips.get(reason, 0), now.skips.get(reason, 0)
        if then_count != now_count:
            changes.append(f"skipped checks: {then_count} before, {now_count} now ({reason})")
    if not changes:
        changes += [f"checks of {name}" for name in _changed_names(before.files, now.files)]
    if before.criteria != now.criteria:
        changes.append("success criteria")
    return changes


def _changed_names(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """Return the names whose values differ or that only one of the two has."""
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
