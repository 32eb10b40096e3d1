"""Who sends a load: this process, or workers that share it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from xnai_validate.checkers.load._generator.drive import Drive
from xnai_validate.checkers.load._generator.line import Line
from xnai_validate.checkers.load._generator.share import Share
from xnai_validate.checkers.load._models import LoadParams
from xnai_validate.kit import Context

Lines = Callable[[], AbstractAsyncContextManager[Callable[[], Line]]]
"""Prepares the lines of a load for as long as it is sent: resolves the host, reads files of prompts, and so on."""


@dataclass(frozen=True, slots=True)
class Load:
    """A load that is to be sent."""

    kind: str
    params: LoadParams
    ctx: Context
    drive: Drive
    """Sends it, and holds its figures afterwards."""
    lines: Lines


class Runner(Protocol):
    """Sends loads."""

    @property
    def share(self) -> Share:
        """The part of each load that is sent from this process."""

    async def run(self, load: Load) -> None:
        """Send a load; afterwards its drive holds the figures. Raises what `Drive.run` raises."""


class ThisProcess:
    """Sends loads whole, from here."""

    share = Share()

    async def run(self, load: Load) -> None:
        """Send a load and write its record."""
        load.drive.recorder.verify_path()
        async with load.lines() as load.drive.open_line:
            await load.drive.run()
        load.drive.recorder.write()


RUNNER: ContextVar[Runner] = ContextVar("RUNNER", default=ThisProcess())  # noqa: B039 (it holds no state)
"""Who sends the loads of a run."""


async def send(load: Load) -> None:
    """Send a load by the runner of this run."""
    await RUNNER.get().run(load)
