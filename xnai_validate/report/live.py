"""The live display of a run on a terminal: progress, what is being measured, and failures as they happen.

It lives below the cursor while the run goes on and leaves nothing behind; the report that follows says it all again.
"""

from __future__ import annotations

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
from xnai_validate.model.units import format_ms

RUNNING_SHOWN = 6
FAILURES_SHOWN = 5
REFRESHES_A_SECOND = 8
_SHOWN_AFTER_S = 0.2
"""A check that is done sooner than this is never named: its name would only flicker."""
_INDENT = 9


@dataclass(slots=True)
class _Running:
    since: float
    said: str = ""


@dataclass(slots=True)
class Live:
    """Takes events and shows how the run goes; `close` clears it away."""

    console: Console
    title: str = ""
    total: int = 0
    counts: dict[Status, int] = field(default_factory=dict)
    running: dict[str, _Running] = field(default_factory=dict)
    failures: deque[tuple[Status, str, str]] = field(default_factory=lambda: deque(maxlen=FAILURES_SHOWN))
    note: str = ""
    started: float = field(default_factory=time.monotonic)
    _display: RichLive | None = None

    def take(self, event: ev.Event) -> None:
        """Remember what an event says; the display draws itself by its own clock."""
        match event:
            case ev.RunStarted():
                self.title, self.total = printable(event.run.title), len(event.checks)
                self._open()
            case ev.CheckStarted():
                self.running[event.id] = _Running(time.monotonic())
            case ev.CheckFinished():
                self.running.pop(event.id, None)
                self.counts[event.status] = self.counts.get(event.status, 0) + 1
                if event.status in (Status.FAIL, Status.ERROR):
                    self.failures.append((event.status, printable(event.id), printable(event.reason or "")))
            case ev.Notice() if event.level != "info":
                self.note = printable(event.text)
            case ev.RunFinished():
                self.close()
            case _:
                pass

    def progress(self, progress: ev.Progress) -> None:
        """What a long measurement says it is doing."""
        running = self.running.get(progress.id)
        if running is not None:
            running.said = printable(progress.text)

    def close(self) -> None:
        """Clear the display away; a second call does nothing."""
        display, self._display = self._display, None
        if display is not None:
            display.stop()

    def _open(self) -> None:
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
        """What is shown now; called from the display's own thread, so it works on copies."""
        now = time.monotonic()
        parts: list[RenderableType] = [self._failure(*one) for one in list(self.failures)]
        if self.note:
            parts.append(_one_line(Text(self.note, style="yellow")))
        parts += [self._headline(now), *self._measuring(now)]
        return Group(*parts)

    def _failure(self, status: Status, check_id: str, reason: str) -> Text:
        return _one_line(
            Text.assemble((f"{status.value.upper():<6}", "bold red"), (check_id, "cyan"), (f"  {reason}", ""))
        )

    def _headline(self, now: float) -> RenderableType:
        done = sum(self.counts.values())
        grid = Table.grid(padding=(0, 2, 0, 0), expand=False)
        bad = self.counts.get(Status.FAIL, 0) + self.counts.get(Status.ERROR, 0)
        cells: list[RenderableType] = [
            _one_line(Text(self.title, style="bold")),
            ProgressBar(
                total=max(self.total, 1),
                completed=done,
                width=max(8, min(30, self.console.width // 4)),
                complete_style="red" if bad else "green",
                finished_style="red" if bad else "green",
            ),
            Text(f"{done}/{self.total}"),
            Text(f"{bad} failed" if bad else "", style="red"),
            Text(format_ms((now - self.started) * 1000), style="dim"),
        ]
        grid.add_row(*cells)
        return grid

    def _measuring(self, now: float) -> list[RenderableType]:
        old = sorted(
            ((one.since, check_id, one.said) for check_id, one in list(self.running.items())),
        )
        named = [row for row in old if now - row[0] >= _SHOWN_AFTER_S]
        lines: list[RenderableType] = []
        for since, check_id, said in named[:RUNNING_SHOWN]:
            name = Text.assemble((f"  {now - since:5.1f} s", "dim"), "  ", (printable(check_id), "cyan"))
            told = Text(f"  {said}", style="dim")
            if name.cell_len + told.cell_len <= self.console.width:
                lines.append(_one_line(name + told))
            else:  # what is told changes, and its end says what matters most; the name only stands there
                lines += [_one_line(name), _one_line(Text(" " * _INDENT) + told)]
        if len(named) > RUNNING_SHOWN:
            lines.append(Text(f"  and {len(named) - RUNNING_SHOWN} more", style="dim"))
        return lines


def _one_line(text: Text) -> Text:
    text.no_wrap = True
    text.overflow = "ellipsis"
    return text
