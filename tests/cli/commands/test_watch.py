"""`watch`: runs again and again, shows what changes, ends with the exit code of the last run; against a real server."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import pytest

from tests.cli.conftest import Place
from tests.cli.process import fork
from tests.forking import Program

WAIT_S = 40


class Watching:
    """A `watch` that runs as a process, and the lines of its stdout as they come."""

    def __init__(self, process: Program) -> None:
        self.process = process
        self._lines: Queue[str] = Queue()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))

    def until(self, text: str) -> list[str]:
        """Return the next lines up to one that holds `text`."""
        lines: list[str] = []
        end = time.monotonic() + WAIT_S
        while not lines or text not in lines[-1]:
            try:
                lines.append(self._lines.get(timeout=max(0.1, end - time.monotonic())))
            except Empty:
                raise AssertionError(f"no line with {text!r}, only {lines}") from None
        return lines

    def rest(self) -> list[str]:
        """Return the lines that have come since."""
        return [self._lines.get() for _ in range(self._lines.qsize())]

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal; return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(WAIT_S)

    def close(self) -> None:
        """Kill it if it still runs, and read its output to the end."""
        self.process.kill()
        self._reader.join()
        self.process.communicate()


@contextmanager
def watching(*args: str, **more: str) -> Iterator[Watching]:
    """`watch` with these arguments, ended with the block."""
    runs = Watching(fork("watch", *args, **more))
    try:
        yield runs
    finally:
        runs.close()


def requests_of(place: Place, count: int) -> None:
    """Wait until the site has had this number of requests more."""
    goal, end = len(place.site.seen) + count, time.monotonic() + WAIT_S
    while len(place.site.seen) < goal:
        assert time.monotonic() < end, "no more requests"
        time.sleep(0.05)


def test_only_changes_are_shown(place: Place) -> None:
    """The first run is shown, a run like the one before is not; what breaks and what recovers is, with its reason."""
    with watching("good", "--every", "1s") as runs:
        first = runs.until("2 passed")
        assert "PASSED (exit 0): every check passed" in first[0]
        requests_of(place, 6)
        assert runs.rest() == []
        place.site.down.set()
        broken = runs.until("site/web:json") + runs.rest()
        assert "FAILED (exit 1, before: passed)" in broken[0]
        assert any(line.split() == ["fail", "site/web:up"] for line in broken)
        assert any("expected 200, got 503" in line for line in broken)
        assert any("fix: Start it." in line for line in broken)
        place.site.down.clear()
        mended = runs.until("site/web:up")
        assert any("PASSED (exit 0, before: failed)" in line for line in mended)
        assert mended[-1].split() == ["recovered", "site/web:up"]
        assert runs.end() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_with_the_last_exit_code(place: Place, number: signal.Signals) -> None:
    """Whichever signal ends it while it waits, the exit code is that of the last run."""
    with watching("bad", "--every", "1h") as runs:
        runs.until("Mend the page.")
        assert runs.end(number) == 1


def test_a_signal_during_the_first_run_is_130(place: Place) -> None:
    """Without any run that has ended, the command was interrupted."""
    with watching("hanging", "--every", "1s") as runs:
        assert place.site.hanging.wait(WAIT_S)
        assert runs.end() == 130


def test_errors_of_the_first_run_are_2(place: Place) -> None:
    """A profile with an error is refused at once, with its place."""
    result = place.invoke("watch", "mistaken", "--every", "1s")
    assert result.exit_code == 2
    assert "profiles/mistaken.yaml:4:14: unknown fact" in result.stderr


def test_a_profile_is_read_again(place: Place) -> None:
    """An error that an edit brings in is reported, once; the mended profile runs again."""
    profile = place.path / "profiles" / "good.yaml"
    text = profile.read_text()
    with watching("good", "--every", "1s") as runs:
        runs.until("2 passed")
        profile.write_text(text.replace("site/web]", "site/wbe]"))
        time.sleep(3.5)
        assert runs.rest() == []
        profile.write_text(text.replace("site/web]", "site/web, site/broken]"))
        lines = runs.until("Mend the page.")
        assert any(line.split() == ["fail", "site/broken:boom"] for line in lines)
        assert runs.end() == 1
        assert runs.process.stderr is not None
        assert runs.process.stderr.read().count("no run: ") == 1


def test_disruptive_checks_need_consent_on_the_command_line(place: Place) -> None:
    """XNAI_VALIDATE_ALLOW and `allow:` in a profile, consents to a single run, allow nothing here; --allow does."""
    profile = place.path / "profiles" / "good.yaml"
    profile.write_text(profile.read_text() + "allow: [disruptive]\n")
    suite = place.path / "checks" / "site" / "web.yaml"
    suite.write_text(
        suite.read_text() + "  - {id: breaks, title: A page, kind: http.request, with: {path: /ok}, disruptive: true}\n"
    )
    with watching("good", "--every", "1h", XNAI_VALIDATE_ALLOW="disruptive") as runs:
        assert any("1 skipped" in line for line in runs.until("checks in"))
    with watching("good", "--every", "1h", "--allow", "disruptive") as runs:
        assert any("0 skipped" in line for line in runs.until("checks in"))


def test_files_hold_the_latest_run(place: Place) -> None:
    """--output is written anew after each run, whole."""
    with watching("good", "--every", "1s", "-o", "latest.md") as runs:
        runs.until("2 passed")
        written = place.path / "latest.md"
        place.site.down.set()
        runs.until("site/web:json")
        assert "FAILED" in written.read_text()
        assert runs.end(signal.SIGTERM) == 1


def test_runs_leave_nothing_behind_in_memory(place: Place) -> None:
    """After dozens of runs the process has the memory that it had after a few: events do not pile up."""
    with watching("good", "--every", "1ms", "-j", "1") as runs:
        runs.until("2 passed")
        requests_of(place, 2 * 8)
        before = resident_kib(runs.process.pid)
        requests_of(place, 2 * 20)
        assert resident_kib(runs.process.pid) - before < 4096


def resident_kib(pid: int) -> int:
    """Return the resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024
