"""What carries the requests of a load, and how many of that the system allows."""

from __future__ import annotations

import resource
from typing import Protocol

from xnai_validate.checkers.load._generator.tally import Tally
from xnai_validate.kit import JsonObject, Unmeasurable

SPARE_DESCRIPTORS = 64
"""Open files of this process besides its lines."""
REPORT_S = 0.5
"""What is left of the check's time limit when a load ends for its sake: else there would be no figures at all."""


class Line(Protocol):
    """What carries one request at a time, usually a connection. A line that is over is not used again."""

    tally: Tally
    """The phase that the present request counts in."""
    intended: float
    """When the present request should have begun (`perf_counter`)."""
    sent: float
    """When it was begun."""

    @property
    def stale(self) -> bool:
        """Whether the next request should use a new connection."""

    def send(self) -> None:
        """Begin a request, and report its end to the drive later: never before this call has returned."""

    def details(self) -> JsonObject:
        """Return what else is known of the request that has just ended, for a record of all."""

    def abort(self) -> None:
        """End at once; afterwards only `closed` is reported."""


def allow_descriptors(lines: int) -> None:
    """Make sure that `lines` sockets can be open; raises Unmeasurable where the system does not allow it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = lines + SPARE_DESCRIPTORS
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise Unmeasurable(
            f"{lines} connections need {needed} open files, and this process may have {hard}",
            hint="raise the limit (ulimit -n), or ask for fewer",
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def allow_time(takes_s: float, within_s: float) -> None:
    """Raise Unmeasurable where a load takes longer than its check may."""
    if takes_s + REPORT_S > within_s:
        raise Unmeasurable(
            f"the load takes {takes_s:g} s, and the check may take no longer than {within_s:g} s",
            hint="give the check a timeout that is longer than the load and the time limit of its last requests",
        )
