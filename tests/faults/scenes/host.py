"""This host."""

from __future__ import annotations

import fcntl
import math
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from tests.faults.scenes.scene import Scene, Staged

CHILD = "xnai_validate.faults._memory_child"


def holders() -> object:
    """How many processes hold memory for a fault, and whether it is more than 4 MiB."""
    found = [
        process.info["memory_info"].rss
        for process in psutil.process_iter(["cmdline", "memory_info"])
        if is_holder(process)
    ]
    return len(found), any(rss > 4 << 20 for rss in found)


def is_holder(process: psutil.Process) -> bool:
    """Whether it is a child of the fault that lives."""
    line = process.info["cmdline"] or []
    return CHILD in line and process.info["memory_info"] is not None


@contextmanager
def the_host() -> Iterator[None]:
    """The host's memory to oneself: tests of several processes would fill the same, and count each other's holders."""
    with open(__file__, encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)


@contextmanager
def memory() -> Iterator[Scene]:
    """A little more memory in use than now, and than other tests may come to use meanwhile."""
    with the_host():
        percent = math.ceil(psutil.virtual_memory().percent) + 4
        yield Scene(None, {"percent": percent, "most": "2GiB"}, holders)


SCENES: dict[str, Staged] = {"host.memory": memory}
