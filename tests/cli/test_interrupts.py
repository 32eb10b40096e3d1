"""Signals: a command ends in good order, also if they are repeated."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from tests.cli.conftest import Place
from tests.cli.process import WAIT_S, finish, start
from xnai_validate.cli.interrupts import ENDING, interrupts
from xnai_validate.engine import read_journal
from xnai_validate.model.results.report_builder import build_report
from xnai_validate.report.formats.json import parse


def test_one_who_keeps_pressing_ctrl_c_still_gets_the_report(place: Place) -> None:
    """However often it is interrupted while it ends, the report is written whole, and no traceback is shown."""
    process = start("run", "hanging", "-o", "r.json", "-o", "r.xml")
    try:
        assert place.site.hanging.wait(WAIT_S)
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            time.sleep(0.002)
        code, _, err = finish(process)
    finally:
        process.kill()
    assert code == 130
    assert err in ("", "interrupted\n")
    assert parse((place.path / "r.json").read_text()).verdict == "interrupted"
    assert (place.path / "r.xml").read_text().rstrip().endswith("</testsuites>")


def test_a_closed_terminal_ends_a_run_in_good_order(place: Place) -> None:
    """SIGHUP is as good as Ctrl-C: exit 130 and a partial report."""
    process = start("run", "hanging", "-o", "r.json")
    try:
        assert place.site.hanging.wait(WAIT_S)
        process.send_signal(signal.SIGHUP)
        code, _, _ = finish(process)
    finally:
        process.kill()
    assert code == 130
    assert parse((place.path / "r.json").read_text()).verdict == "interrupted"


def test_a_killed_run_leaves_its_journal_and_nothing_half_written(place: Place) -> None:
    """After kill -9 the old report is what it was, no file lies beside it, and the journal has the results so far."""
    (place.path / "r.json").write_text("old")
    before = {path.name for path in place.path.iterdir()}
    process = start("run", "hanging", "-o", "r.json", "-o", "r.xml")
    try:
        assert place.site.hanging.wait(WAIT_S)
    finally:
        process.kill()
    finish(process)
    assert {path.name for path in place.path.iterdir()} - before == {"state"}
    assert (place.path / "r.json").read_text() == "old"
    (journal,) = (place.state / "runs").iterdir()
    report = build_report(read_journal(journal))
    assert (report.exit_code, report.run.stopped) == (130, "killed")
    assert [check.status for check in report.checks] == ["pass", "skip"]


def test_signals_interrupt_except_while_the_report_is_written() -> None:
    """A signal raises KeyboardInterrupt unless `ignored` is set; the handlers are then as before."""
    before = [signal.getsignal(number) for number in ENDING]
    with interrupts() as handler:
        for number in ENDING:
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(number)
        handler.ignored = True
        for number in ENDING:
            signal.raise_signal(number)
    assert [signal.getsignal(number) for number in ENDING] == before


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    """`nohup` is respected."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupts():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


LOST = """
import os, signal, time, weakref
from xnai_validate.cli.interrupts import interrupts

class Thing: pass

with interrupts():
    thing = Thing()
    kept = weakref.ref(thing, lambda _: os.kill(os.getpid(), signal.SIGINT))
    try:
        del thing
        time.sleep(60)
        print("lost")
    except KeyboardInterrupt:
        print("interrupted")
"""


def test_an_interrupt_within_a_callback_of_the_interpreter_is_not_lost() -> None:
    """Python prints and drops exceptions of such callbacks: it is raised again, and no traceback is shown."""
    done = subprocess.run([sys.executable, "-c", LOST], capture_output=True, text=True, check=False, timeout=30)
    assert (done.stdout, done.stderr) == ("interrupted\n", "")
