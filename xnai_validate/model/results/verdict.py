"""Exit codes: they are decided here and nowhere else."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import IntEnum

from xnai_validate.model.results.report import Verdict
from xnai_validate.model.results.status import Status


class Exit(IntEnum):
    """The exit codes of the command."""

    PASSED = 0
    """Everything selected passed."""
    FAILED = 1
    """A check failed, or a criterion is not met."""
    USAGE = 2
    """The command line, a profile or a suite is wrong; nothing was touched."""
    UNDECIDED = 3
    """Something could not be judged, nothing failed."""
    NOT_UNDONE = 4
    """A fault may not have been reverted; outranks all others."""
    STOPPED = 5
    """Stopped by the memory guard or the deadline."""
    INTERRUPTED = 130
    """Ended by SIGINT or SIGTERM."""


_WORDS: dict[Exit, Verdict] = {
    Exit.PASSED: "passed",
    Exit.FAILED: "failed",
    Exit.UNDECIDED: "undecided",
    Exit.NOT_UNDONE: "not undone",
    Exit.STOPPED: "stopped",
    Exit.INTERRUPTED: "interrupted",
}


def decide(
    statuses: Iterable[Status],
    *,
    criteria_met: bool = True,
    undecided: bool = False,
    stopped: str | None = None,
    not_undone: bool = False,
    fail_on: Collection[Status] = (Status.FAIL,),
    fail_if_none: bool = False,
) -> Exit:
    """Return the exit code of a run: the first of not undone, interrupted, stopped, failed, undecided, passed.

    A run that ended at its first failure (`fail-fast`) is judged by its checks alone: its criteria cannot be met.

    Args:
        statuses: of all checks.
        criteria_met: whether every success criterion is met.
        undecided: whether a comparison with a baseline was asked for and is not conclusive.
        stopped: why the run ended before its plan did.
        not_undone: whether a fault may still be active.
        fail_on: the statuses that make the run fail, besides `fail`.
        fail_if_none: whether a run in which every check was skipped is undecided, not passed.
    """
    given = set(statuses)
    if not_undone:
        return Exit.NOT_UNDONE
    if stopped in ("interrupted", "killed"):
        return Exit.INTERRUPTED
    if stopped in ("deadline", "memory"):
        return Exit.STOPPED
    if given & {Status.FAIL, *fail_on} or not criteria_met:
        return Exit.FAILED
    none_judged = fail_if_none and given <= {Status.SKIP}
    return Exit.UNDECIDED if undecided or none_judged or Status.ERROR in given else Exit.PASSED


def with_broken_reporter(exit_code: int) -> int:
    """Return the exit code if a reporter failed: at least 3."""
    return int(Exit.UNDECIDED) if exit_code == Exit.PASSED else exit_code


def verdict_of(exit_code: Exit) -> Verdict:
    """Return the verdict of an exit code."""
    return _WORDS[exit_code]
