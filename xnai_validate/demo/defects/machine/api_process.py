"""An API process that takes or leaks too much of the machine."""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Callable

from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.processes.parts import Part
from xnai_validate.demo.processes.supervision.child import Ready, Sockets, run_part
from xnai_validate.demo.settings import Settings

_BALLAST_MIB = 900
_DESCRIPTORS = 640


def _burden(defect: Defect, take: Callable[[], object]) -> Defect:
    """Let a defect take something before the API's process runs; it is held until the process ends."""

    @defect.wraps(run_part)
    def burdened(
        original: Callable[[Part, Settings, Sockets, Ready], None],
        /,
        part: Part,
        settings: Settings,
        sockets: Sockets,
        ready: Ready,
    ) -> None:
        _held = take() if part.name == "api" else None
        original(part, settings, sockets, ready)

    return defect


MEMORY_BLOAT = _burden(
    Defect(
        "api-memory-bloat", "The API takes far more memory than it may have.", checks=("resources/stack:api-memory",)
    ),
    lambda: bytearray(os.urandom(4096)) * (_BALLAST_MIB * 256),
)


def _few_descriptors() -> None:
    """Lower the limit of the process to 256 open files."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))


FEW_DESCRIPTORS = _burden(
    Defect("api-few-descriptors", "The API may open only 256 files.", checks=("resources/stack:api-descriptors",)),
    _few_descriptors,
)


def _open_descriptors() -> list[int]:
    """Open hundreds of files, and return their descriptors; the limit is raised if it is too low."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(4096, _DESCRIPTORS * 2), max(hard, 4096)))
    return [os.open(os.devnull, os.O_RDONLY) for _ in range(_DESCRIPTORS)]


DESCRIPTORS_LEAKED = _burden(
    Defect(
        "api-descriptors-leaked",
        "The API holds hundreds of files open that it does not use.",
        checks=("resources/stack:api-descriptors",),
    ),
    _open_descriptors,
)


def _start_threads() -> None:
    """Start 160 threads that sleep."""
    for _ in range(160):
        threading.Thread(target=time.sleep, args=(86_400,), daemon=True).start()


THREADS_LEAKED = _burden(
    Defect("api-threads-leaked", "The API runs a hundred and sixty threads.", checks=("resources/stack:api-threads",)),
    _start_threads,
)


def _leave_zombies() -> list[int]:
    """Start three processes that end at once and are never waited for; return their ids."""
    pids = []
    for _ in range(3):
        if (pid := os.fork()) == 0:
            os._exit(0)
        pids.append(pid)
    return pids


ZOMBIES = _burden(
    Defect("api-zombies", "The API leaves dead children uncollected.", checks=("resources/stack:api-threads",)),
    _leave_zombies,
)
