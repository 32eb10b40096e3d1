"""The verdict and the statuses of the last stored run of the same checks, from the history."""

from __future__ import annotations

from typing import cast, get_args

from xnai_validate.cli.repeating.changes import Standing
from xnai_validate.cli.run_history import current_history
from xnai_validate.errors import XnaiError
from xnai_validate.model.results.report import Verdict

LOOKED_AT = 50
"""Stored runs that are looked at, the newest first."""


def stored_standing(profiles: tuple[str, ...], checks: frozenset[str]) -> Standing | None:
    """Return the standing of the newest run of these profiles that had these checks and a verdict; None without one."""
    try:
        with current_history() as history:
            for run in sorted(history.runs(), key=lambda run: (run.started_at, run.id), reverse=True)[:LOOKED_AT]:
                if run.profiles != profiles or run.verdict not in get_args(Verdict) or run.verdict == "interrupted":
                    continue
                statuses = {result.check: result.status for result in history.results_of_run(run.id)}
                if statuses.keys() == checks:
                    return Standing(cast(Verdict, run.verdict), statuses)
    except XnaiError:
        pass  # without a history, the run is compared with no other
    return None
