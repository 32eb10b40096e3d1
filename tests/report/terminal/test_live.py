"""The live display: what it shows while a run goes on, and that it leaves nothing behind."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tests.report.runs import CASES
from xnai_validate.model.results.events import CheckFinished, CheckStarted, FaultInjected, FaultReverted, Progress
from xnai_validate.model.results.status import Status
from xnai_validate.report.terminal.live import Live


def shown(live: Live, width: int = 80) -> str:
    """What the display would draw now, as plain text."""
    console = Console(file=io.StringIO(), width=width, color_system=None)
    with console.capture() as capture:
        console.print(live.rendered())
    return capture.get()


def test_it_shows_progress_failures_and_what_is_measured() -> None:
    """Failures appear as they happen, server text in them is not markup, and long measurements are named."""
    live = Live(Console(file=io.StringIO(), width=80, force_terminal=True))
    events = CASES["hostile"][1]()
    try:
        for event in events[:-1]:
            live.take(event)
        live.take(CheckStarted(seq=90, at=0.0, id="errors/late:one"))
        live.progress(Progress("errors/late:one", "event [b]14[/b]\x1b[2J"))
        live.running["errors/late:one"].since -= 5
        text = shown(live)
    finally:
        live.close()
    assert "2/2" in text
    assert "FAIL  errors/envelope:clean" in text
    assert "1 failed" in text
    assert "errors/late:one" in text
    assert r"event [b]14[/b]\x1b[2J" in text
    assert "[red]boo" in text


@pytest.mark.parametrize(("width", "lines"), [(80, 2), (120, 1)])
def test_progress_of_a_long_measurement_is_shown_to_its_end(width: int, lines: int) -> None:
    """Beside the name where there is room, else on a line of its own: never cut for the sake of the name."""
    detail = "load 3/60 s, 1024 answers/s, 128 under way, 17 errors"
    live = Live(Console(file=io.StringIO(), width=width))
    live.take(CheckStarted(seq=1, at=0.0, id="performance/latency:health-beside-queries"))
    live.progress(Progress("performance/latency:health-beside-queries", detail))
    live.running["performance/latency:health-beside-queries"].since -= 3
    text = shown(live, width)
    found = [line for line in text.splitlines() if "health-beside" in line or "errors" in line]
    assert len(found) == lines
    assert found[-1].endswith(detail)
    assert all(len(line) <= width for line in text.splitlines())


def test_it_leaves_a_clean_screen() -> None:
    """When the run is over the display erases its lines and shows the cursor again."""
    out = io.StringIO()
    live = Live(Console(file=out, width=80, force_terminal=True))
    for event in CASES["failed"][1]():
        live.take(event)
    live.close()
    text = out.getvalue()
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1
    assert text.endswith("\x1b[2K")


def test_failures_and_running_checks_are_bounded() -> None:
    """However many checks run or fail, the display stays a few lines high."""
    live = Live(Console(file=io.StringIO(), width=80))
    failure = next(e for e in CASES["failed"][1]() if isinstance(e, CheckFinished) and e.status == "fail")
    for number in range(200):
        live.take(CheckStarted(seq=number + 1, at=0.0, id=f"a/b:c{number}"))
        live.running[f"a/b:c{number}"].since -= 1
        live.take(failure)
    text = shown(live)
    assert len(text.splitlines()) < 16
    assert "and 194 more" in text


def test_the_time_that_is_left_is_shown() -> None:
    """It is what the checks that are not finished are expected to take; those that run have used a part of it."""
    live = Live(Console(file=io.StringIO(), width=100))
    live.expected_s = {"a:x": 200.0, "a:y": 60.0, "a:z": 30.0}
    live.take(CheckStarted(seq=1, at=0.0, id="a:x"))
    live.running["a:x"].since -= 50
    assert "about 4 min 00 s left" in shown(live, 100)
    live.take(CheckFinished(seq=2, at=0.0, id="a:x", status=Status.PASS))
    assert "about 1 min 30 s left" in shown(live, 100)
    live.take(CheckFinished(seq=3, at=0.0, id="a:y", status=Status.PASS))
    live.take(CheckFinished(seq=4, at=0.0, id="a:z", status=Status.PASS))
    assert "left" not in shown(live, 100)


def test_faults_in_force_are_shown_until_they_are_reverted() -> None:
    """What is disturbed now, and for how long; a reader then knows why checks wait."""
    live = Live(Console(file=io.StringIO(), width=80))
    for number in range(6):
        name = "redis.pause [b]x\x1b[2J" if number == 0 else "process.pause"
        live.take(FaultInjected(seq=number + 1, at=0.0, fault=name, target=f"t{number}", undo=f"u{number}"))
    text = shown(live)
    assert r"0.0 s  fault redis.pause [b]x\x1b[2J t0 in force" in text
    assert "and 2 more faults" in text
    for number in range(5):
        live.take(FaultReverted(seq=number + 9, at=0.0, undo=f"u{number}", proven=True))
    assert shown(live).count("in force") == 1
    live.take(FaultReverted(seq=20, at=0.0, undo="u5", proven=False))
    assert "fault" not in shown(live)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_ends_within_a_word_or_beyond_the_edge(width: int) -> None:
    """Reasons, notes, faults and progress that are longer than a line end with whole words."""
    words = [f"word{number:03}" for number in range(100)]
    sentence = " ".join(words)
    live = Live(Console(file=io.StringIO(), width=width))
    live.note = live.title = sentence
    live.expected_s = {"a/b:slow": 200.0}
    live.take(FaultInjected(seq=1, at=0.0, fault=sentence, target="api", undo="u"))
    live.take(CheckStarted(seq=2, at=0.0, id="a/b:failing"))
    live.take(CheckFinished(seq=3, at=0.0, id="a/b:failing", status=Status.FAIL, reason=sentence))
    live.take(CheckStarted(seq=4, at=0.0, id="a/b:slow"))
    live.progress(Progress("a/b:slow", sentence))
    live.running["a/b:slow"].since -= 5
    text = shown(live, width)
    assert all(len(line) <= width for line in text.splitlines())
    assert {word for word in text.split() if word.startswith("w")} <= set(words)
    assert "word005" in text
