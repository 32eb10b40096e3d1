"""The live display of a run on a terminal: progress, what is being measured, and failures as they happen.

It is drawn below the cursor while the run goes on and erases itself at the end; the report follows it.
"""

from __future__ import annotations

import textwrap
import time
from collections import deque
from dataclasses import dataclass, field

from rich.console import Console, Group, RenderableType
from rich.live import Live as RichLive
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from xnai_validate.model.results import events as ev
from xnai_validate.model.results.status import Status
from xnai_validate.model.text import printable
from xnai_validate.model.units import about, format_ms

RUNNING_SHOWN = 6
FAILURES_SHOWN = 5
FAULTS_SHOWN = 4
DETAIL_LINES = 3
"""Lines of the progress of one check at most."""
REFRESHES_A_SECOND = 8
_SHOWN_AFTER_S = 0.2
"""Checks that take less time are not listed: their names would only flicker."""
_INDENT = 9
LEFT_SHOWN_S = 5.0
"""Less than this is not shown as the time left."""


@dataclass(slots=True)
class _Running:
    """A check that is being measured."""

    since: float
    progress: str = ""


@dataclass(frozen=True, slots=True)
class _Fault:
    """A fault in force."""

    since: float
    name: str


@dataclass(slots=True)
class Live:
    """The live display of one run: `take` each event, `close` erases it."""

    console: Console
    title: str = ""
    total: int = 0
    counts: dict[Status, int] = field(default_factory=dict)
    running: dict[str, _Running] = field(default_factory=dict)
    expected_s: dict[str, float] = field(default_factory=dict)
    """Full id -> seconds, of each check that is not finished."""
    failures: deque[tuple[Status, str, str]] = field(default_factory=lambda: deque(maxlen=FAILURES_SHOWN))
    faults: dict[str, _Fault] = field(default_factory=dict)
    """Undo record -> the fault, of those that are in force."""
    note: str = ""
    started: float = field(default_factory=time.monotonic)
    _display: RichLive | None = None

    def take(self, event: ev.Event) -> None:
        """Record one event; the display redraws itself by its own clock."""
        match event:
            case ev.RunStarted():
                self.title, self.total = printable(event.run.title), len(event.checks)
                self.expected_s = dict(event.expected_s)
                self._start_display()
            case ev.CheckStarted():
                self.running[event.id] = _Running(time.monotonic())
            case ev.CheckFinished():
                self.running.pop(event.id, None)
                self.expected_s.pop(event.id, None)
                self.counts[event.status] = self.counts.get(event.status, 0) + 1
                if event.status in (Status.FAIL, Status.ERROR):
                    self.failures.append((event.status, printable(event.id), printable(event.reason or "")))
            case ev.FaultInjected():
                name = f"{event.fault} {event.target}" if event.target else event.fault
                self.faults[event.undo] = _Fault(time.monotonic(), printable(name))
            case ev.FaultReverted():
                self.faults.pop(event.undo, None)
            case ev.Notice() if event.level != "info":
                self.note = printable(event.text)
            case ev.RunFinished():
                self.close()
            case _:
                pass

    def progress(self, progress: ev.Progress) -> None:
        """Record what a long measurement is doing."""
        running = self.running.get(progress.id)
        if running is not None:
            running.progress = printable(progress.text)

    def close(self) -> None:
        """Erase the display; a second call has no effect."""
        display, self._display = self._display, None
        if display is not None:
            display.stop()

    def _start_display(self) -> None:
        """Start the display."""
        self._display = RichLive(
            console=self.console,
            get_renderable=self.rendered,
            refresh_per_second=REFRESHES_A_SECOND,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._display.start()

    def rendered(self) -> RenderableType:
        """Return what is shown now; called from the thread of the display, so it works on copies."""
        now = time.monotonic()
        parts: list[RenderableType] = [self._failure_line(*failure) for failure in list(self.failures)]
        if self.note:
            parts.append(self._line(Text(self.note, style="yellow")))
        parts += [self._headline(now), *self._fault_lines(now), *self._running_lines(now)]
        return Group(*parts)

    def _fault_lines(self, now: float) -> list[RenderableType]:
        """Return a line for each fault in force, and for how long; those injected first at the top."""
        faults = list(self.faults.values())
        lines: list[RenderableType] = [
            self._line(Text(f"  {now - fault.since:5.1f} s", "dim"), Text(f"  fault {fault.name} in force", "yellow"))
            for fault in faults[:FAULTS_SHOWN]
        ]
        if len(faults) > FAULTS_SHOWN:
            lines.append(Text(f"  and {len(faults) - FAULTS_SHOWN} more faults", style="dim"))
        return lines

    def _line(self, *pieces: Text) -> Text:
        """The pieces on one line; the last one ends with a whole word where it does not fit."""
        *before, last = pieces
        room = self.console.width - sum(piece.cell_len for piece in before)
        if last.cell_len > room:
            indent = len(last.plain) - len(last.plain.lstrip())
            kept = textwrap.shorten(last.plain, max(room - indent, 4), placeholder=" ...")
            last = Text(" " * indent + kept, last.style)
        return _single_line(Text.assemble(*before, last))

    def _failure_line(self, status: Status, check_id: str, reason: str) -> Text:
        """Return the line of a failed check."""
        return self._line(Text(f"{status.value.upper():<6}", "bold red"), Text(check_id, "cyan"), Text(f"  {reason}"))

    def _headline(self, now: float) -> RenderableType:
        """Return the first line: title, progress, counts and the time so far."""
        done = sum(self.counts.values())
        bad = self.counts.get(Status.FAIL, 0) + self.counts.get(Status.ERROR, 0)
        width = max(8, min(30, self.console.width // 4))
        style = "red" if bad else "green"
        counts = (f"{done}/{self.total}", f"{bad} failed" if bad else "")
        spent = format_ms((now - self.started) * 1000) + self._left(now)
        room = self.console.width - width - 2 * 4 - len("".join(counts)) - len(spent)
        grid = Table.grid(padding=(0, 2, 0, 0), expand=False)
        cells: list[RenderableType] = [
            _single_line(Text(textwrap.shorten(self.title, max(room, 8), placeholder=" ..."), style="bold")),
            ProgressBar(
                total=max(self.total, 1), completed=done, width=width, complete_style=style, finished_style=style
            ),
            Text(counts[0]),
            Text(counts[1], style="red"),
            Text(spent, style="dim"),
        ]
        grid.add_row(*cells)
        return grid

    def _left(self, now: float) -> str:
        """The time that is probably left, as `, about 2 min left`; empty for a few seconds."""
        left_s = 0.0
        for check_id, seconds in list(self.expected_s.items()):
            running = self.running.get(check_id)
            left_s += max(0.0, seconds - (now - running.since)) if running else seconds
        return f", about {about(left_s)} left" if left_s >= LEFT_SHOWN_S else ""

    def _running_lines(self, now: float) -> list[RenderableType]:
        """Return a line for each check that has been running for a while; those that began first at the top."""
        rows = sorted((check.since, check_id, check.progress) for check_id, check in list(self.running.items()))
        slow = [row for row in rows if now - row[0] >= _SHOWN_AFTER_S]
        lines: list[RenderableType] = []
        for since, check_id, progress in slow[:RUNNING_SHOWN]:
            name = Text.assemble((f"  {now - since:5.1f} s", "dim"), "  ", (printable(check_id), "cyan"))
            detail = Text(f"  {progress}", style="dim")
            if name.cell_len + detail.cell_len <= self.console.width:
                lines.append(_single_line(name + detail))
            else:  # the end of the detail matters most, so it gets lines of its own instead of an ellipsis
                wrapped = textwrap.wrap(progress, self.console.width - _INDENT - 2, max_lines=DETAIL_LINES)
                lines += [_single_line(name), *(Text(f"{'':{_INDENT}}  {line}", style="dim") for line in wrapped)]
        if len(slow) > RUNNING_SHOWN:
            lines.append(Text(f"  and {len(slow) - RUNNING_SHOWN} more", style="dim"))
        return lines


def _single_line(text: Text) -> Text:
    """Return a text that is cut at the end of the line."""
    text.no_wrap = True
    text.overflow = "ellipsis"
    return text
