"""Exit codes: decided here and nowhere else."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import IntEnum

from xnai_validate.model.results.report import Verdict
from xnai_validate.model.results.status import Status


class Exit(IntEnum):
    """What a machine reads when the tool ends."""

    PASSED = 0
    """Everything selected passed."""
    FAILED = 1
    """A check failed, or a criterion is not met."""
    USAGE = 2
    """The command line, a profile or a suite is wrong; nothing was touched."""
    UNDECIDED = 3
    """Something could not be judged, nothing failed."""
    NOT_UNDONE = 4
    """A fault may not have been undone; outranks all others."""
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
) -> Exit:
    """The exit code of a run. The order: not undone, interrupted, stopped, failed, undecided, passed.

    `undecided`: what the run was to find out besides, it could not tell.
    A run that was ended by the first failure (`fail-fast`) is judged by its checks alone: its criteria cannot be met.
    """
    seen = set(statuses)
    if not_undone:
        return Exit.NOT_UNDONE
    if stopped in ("interrupted", "killed"):
        return Exit.INTERRUPTED
    if stopped in ("deadline", "memory"):
        return Exit.STOPPED
    if seen & {Status.FAIL, *fail_on} or not criteria_met:
        return Exit.FAILED
    return Exit.UNDECIDED if undecided or Status.ERROR in seen else Exit.PASSED


def with_broken_reporter(exit_code: int) -> int:
    """The exit code when a reporter could not do its work: at least 3."""
    return int(Exit.UNDECIDED) if exit_code == Exit.PASSED else exit_code


def word(exit_code: Exit) -> Verdict:
    """The verdict in a word."""
    return _WORDS[exit_code]
