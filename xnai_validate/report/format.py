"""What a module of `report.formats` declares: a format that a report can be written in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from xnai_validate.model.results.events import Event
from xnai_validate.model.results.report import RunReport
from xnai_validate.report.view import View

Render = Callable[[RunReport, View], Iterator[str]]
"""Makes the text of a report, piece by piece: a long report is never in memory as one text."""
Line = Callable[[Event], str]
"""Makes the line of an event, with its line end."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format of reports. It has either `render` or `line`.

    Args:
        name: the value of `--format`, and the name of the module.
        description: what the format is for, in one line.
        extensions: the ends of file names that choose the format.
        render: makes the text at the end of the run.
        line: makes the text of one event, for a format that is written while the run goes on.
    """

    name: str
    description: str
    extensions: tuple[str, ...] = ()
    render: Render | None = None
    line: Line | None = None

    def __post_init__(self) -> None:
        if (self.render is None) == (self.line is None):
            raise ValueError(f"the format {self.name} must have either render or line")

    @property
    def streaming(self) -> bool:
        """Whether the format is written event by event while the run goes on."""
        return self.line is not None

    def pieces(self, report: RunReport, view: View) -> Iterator[str]:
        """Return the text of a report in pieces; raises ValueError for a streaming format."""
        if self.render is None:
            raise ValueError(f"{self.name} is made of events, not of a report")
        return self.render(report, view)

    def text(self, report: RunReport, view: View) -> str:
        """Return the whole text of a report; raises ValueError for a streaming format."""
        return "".join(self.pieces(report, view))
