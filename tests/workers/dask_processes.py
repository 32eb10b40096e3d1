"""A real scheduler and real workers of Dask's distributed, as processes on loopback, with their logs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.ports import free_port

UP_S = 120.0


@dataclass(slots=True)
class DaskProcesses:
    """What runs, by name."""

    folder: Path
    host: str
    port: int
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    scheduler: subprocess.Popen[bytes] | None = None
    variables: dict[str, str] = field(default_factory=dict)
    """Of the environment of each."""
    pages: tuple[str, ...] = ()
    """The urls of the HTTP servers of the scheduler and of the workers, where they have one."""

    @property
    def url(self) -> str:
        """The address of the scheduler."""
        return f"tcp://{self.host}:{self.port}"

    def log(self, name: str) -> str:
        """Everything that a process has written."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def start_scheduler(self, *more: str) -> None:
        """Start the scheduler; the workers wait for it by themselves."""
        own = ["--host", self.host, "--port", str(self.port), "--no-dashboard", "--no-jupyter", *more]
        self.scheduler = self._start("scheduler", "dask_scheduler", own)

    def start_worker(self, name: str, *more: str, url: str | None = None, within: tuple[str, ...] = ()) -> None:
        """Start a worker of a name; `within` is a command that starts it elsewhere, such as in another network."""
        own = ["--name", name, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--memory-limit", "0", *more]
        if "--listen-address" not in more:
            own += ["--host", self.host]
        self.workers[name] = self._start(name, "dask_worker", [url or self.url, *own], within)

    def kill_worker(self, name: str) -> None:
        """Kill a worker at once."""
        process = self.workers.pop(name)
        process.kill()
        process.wait()

    def await_scheduler(self) -> None:
        """Wait until the scheduler listens: a worker does not try again where a TLS handshake is cut short."""
        assert self.scheduler is not None
        self._await("scheduler", self.scheduler, "Scheduler at")

    def await_workers(self) -> None:
        """Wait until every worker is registered."""
        for name, process in self.workers.items():
            self._await(name, process, "Registered to:")

    def _await(self, name: str, process: subprocess.Popen[bytes], text: str) -> None:
        """Wait until a process has logged a text."""
        until = time.monotonic() + UP_S
        while text not in self.log(name):
            assert process.poll() is None, self.log(name)
            assert time.monotonic() < until, self.log(name)
            time.sleep(0.05)

    def end(self) -> None:
        """End all of them."""
        for process in (*self.workers.values(), self.scheduler):
            if process is not None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait()

    def _start(
        self, name: str, module: str, arguments: list[str], within: tuple[str, ...] = ()
    ) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [*within, sys.executable, "-m", f"distributed.cli.{module}", *arguments],
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self.variables},
                start_new_session=True,
            )


@contextmanager
def dask_processes(folder: Path, names: tuple[str, ...], host: str = "127.0.0.1") -> Iterator[DaskProcesses]:
    """A scheduler and workers of these names."""
    processes = DaskProcesses(folder, host, free_port())
    try:
        processes.start_scheduler()
        for name in names:
            processes.start_worker(name)
        processes.await_workers()
        yield processes
    finally:
        processes.end()
