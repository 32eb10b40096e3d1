"""`run --rerun failed`: the checks that failed in the last run of the same profiles, read from its journal."""

from __future__ import annotations

from xnai_validate.engine import journals, read_journal, state_dir
from xnai_validate.errors import ConfigError, XnaiError
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.model.results.status import Status


def failed_before(profiles: tuple[str, ...]) -> frozenset[str]:
    """Return the ids of the checks that failed, had an error or were blocked in the last run of `profiles`.

    Raises ConfigError if there is no such run, or if no check failed in it.
    """
    for path in reversed(journals(state_dir())):
        try:
            report = build_report(read_journal(path))
        except (XnaiError, ValueError):
            continue  # an unreadable journal is not the one to look for
        if report.run.profiles != profiles:
            continue
        ids = frozenset(
            check.id
            for check in report.checks
            if check.status in (Status.FAIL, Status.ERROR) or check.blocked_by is not None
        )
        if not ids:
            raise ConfigError(f"no check failed in the last run of {' '.join(profiles)} ({report.run.id})")
        return ids
    raise ConfigError(
        f"no earlier run of {' '.join(profiles)} is stored in {state_dir() / 'runs'}",
        hint="run it without --rerun first",
    )
