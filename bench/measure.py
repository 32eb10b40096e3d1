"""Running commands and measuring them: wall clock and peak memory, in alternating rounds.

This process stays small on purpose: on Linux the peak memory of a child begins at that of the process it was made from.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LIMIT_S = 300.0


@dataclass(frozen=True, slots=True)
class Subject:
    """A command to be measured."""

    name: str
    argv: tuple[str, ...]
    cwd: Path | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    allowed: tuple[int, ...] = (0,)
    """Exit codes that mean that the work was done."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of all rounds of a subject."""

    name: str
    times_ms: tuple[float, ...]
    peak_mib: float
    """The largest resident memory of any of its processes, over all rounds."""
    failure: str | None = None
    """Why there are no times."""

    @property
    def median_ms(self) -> float:
        """The median of the rounds; NaN where the subject failed."""
        return statistics.median(self.times_ms) if self.times_ms else float("nan")


def alternate(subjects: Sequence[Subject], rounds: int) -> dict[str, Measured]:
    """Measure all subjects in turn, `rounds` times over, after one round that warms caches and is not counted.

    Turns make a machine's slow minutes hit all subjects alike. A subject that fails is not run again.
    """
    times: dict[str, list[float]] = {subject.name: [] for subject in subjects}
    peaks: dict[str, float] = dict.fromkeys(times, 0.0)
    failures: dict[str, str] = {}
    for number in range(rounds + 1):
        for subject in subjects:
            if subject.name in failures:
                continue
            elapsed_ms, peak_mib, failure = _run(subject)
            if failure is not None:
                failures[subject.name] = failure
            elif number:
                times[subject.name].append(elapsed_ms)
                peaks[subject.name] = max(peaks[subject.name], peak_mib)
    return {
        name: Measured(name, () if name in failures else tuple(found), peaks[name], failures.get(name))
        for name, found in times.items()
    }


def _run(subject: Subject) -> tuple[float, float, str | None]:
    """Elapsed ms, peak MiB, and why it failed."""
    with tempfile.TemporaryFile() as output:
        begun = time.perf_counter()
        try:
            process = subprocess.Popen(
                subject.argv,
                cwd=subject.cwd,
                env={**os.environ, **subject.env},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        except OSError as error:
            return 0.0, 0.0, f"{subject.argv[0]}: {error.strerror}"
        usage, status = _wait(process)
        elapsed_ms = (time.perf_counter() - begun) * 1000
        process.returncode = code = os.waitstatus_to_exitcode(status)
        if code in subject.allowed:
            return elapsed_ms, usage.ru_maxrss / 1024, None
        output.seek(0)
        lines = output.read(200_000).decode("utf-8", "replace").strip().splitlines()
        return elapsed_ms, 0.0, f"exit {code}: {lines[-1][:160] if lines else 'no output'}"


def _wait(process: subprocess.Popen[bytes]) -> tuple[resource.struct_rusage, int]:
    """The use of resources and wait status of a process; it is killed after LIMIT_S."""
    deadline = time.monotonic() + LIMIT_S
    descriptor = os.pidfd_open(process.pid)
    try:
        import select

        select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
    finally:
        os.close(descriptor)
    pid, status, usage = os.wait4(process.pid, os.WNOHANG)
    if not pid:
        process.kill()
        _, status, usage = os.wait4(process.pid, 0)
    return usage, status
