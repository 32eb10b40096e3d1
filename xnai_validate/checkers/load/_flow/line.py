"""A virtual user who carries out a flow of steps again and again, as a line of a drive."""

from __future__ import annotations

import asyncio

from xnai_validate.checkers.load._flow.tally import FlowTally
from xnai_validate.checkers.load._generator.drive import Drive
from xnai_validate.checkers.load._generator.tally import Tally
from xnai_validate.kit import Context, ErrorKind, JsonObject, Observation, Observed, ToolLate

COMPLETED = "completed"
"""The status of a conversation all of whose steps held."""
TOOL_LATE = "tool_late"
"""Why a conversation is an error in which a time limit was broken while this tool was late itself."""
DETAIL_CAP = 300


class FlowLine:
    """One virtual user; a conversation is one request of the load."""

    tally: Tally
    intended: float
    sent: float
    stale = False

    def __init__(self, drive: Drive, flow: Observation, ctx: Context) -> None:
        self._drive, self._flow, self._ctx = drive, flow, ctx
        self._task: asyncio.Task[None] | None = None

    def send(self) -> None:
        """Begin a conversation."""
        self._task = self._drive.tasks.create_task(self._converse())

    def details(self) -> JsonObject:
        """Nothing besides its outcome and times."""
        return {}

    def abort(self) -> None:
        """End at once; the clean-up of the flow is made all the same."""
        if self._task is None or self._task.done():
            self._drive.closed(self)
        else:
            self._task.cancel()

    async def _converse(self) -> None:
        """Carry out the flow once and report to the drive how it ended."""
        try:
            flowed = await self._ctx.observe(self._flow)
        except asyncio.CancelledError:
            self._drive.closed(self)
            raise
        except ToolLate as late:
            self._fail(TOOL_LATE, late.message)
            return
        assert isinstance(self.tally, FlowTally)
        self.tally.take(flowed.facts)
        kind, detail = _failure(flowed)
        if kind is not None:
            self._fail(kind, detail)
        else:
            self._task = None
            self._drive.answered(self, COMPLETED)

    def _fail(self, kind: str, detail: str) -> None:
        """Report to the drive that the conversation failed, and that nothing of it is left."""
        self._drive.failed(self, kind, detail[:DETAIL_CAP])
        self._drive.closed(self)


def _failure(flowed: Observed) -> tuple[str | None, str]:
    """The kind of error of a flow and the same in words; None where every step and rule held."""
    facts = flowed.facts
    if facts["failed_steps"] is None:
        return ErrorKind.TIMEOUT.value, f"step {facts['first_broken']} was not at its end when time was over"
    if facts["failed_steps"]:
        return f"step {facts['first_broken']}", facts["failed_steps"][0]
    if facts["cleanup_failed"]:
        return "cleanup", facts["cleanup_failed"][0]
    broken = next((finding for finding in flowed.findings if not finding.held), None)
    return (None, "") if broken is None else (broken.fact, f"a rule about {broken.fact} does not hold")
