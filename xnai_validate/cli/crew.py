"""Processes that make trials side by side, and end with the command that has them, however that ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from xnai_validate.cli.interrupts import interrupts
from xnai_validate.demo.processes.parent_death import end_with_parent


@contextmanager
def crew(size: int) -> Iterator[ProcessPoolExecutor]:
    """Let `size` processes work for the block; whoever leaves it early has each of them end what it does first.

    A signal to this process, also SIGTERM and SIGHUP, is such an early leave: it raises KeyboardInterrupt. Where this
    process is killed, the kernel kills the others, and their stacks end with them.
    """
    # A fork has this process as its parent, on which its end depends; a fork server would come between.
    forking = multiprocessing.get_context("fork")
    with (
        interrupts() as ears,
        ProcessPoolExecutor(size, mp_context=forking, initializer=_join, initargs=(os.getpid(),)) as pool,
    ):
        try:
            yield pool
        except BaseException:
            ears.deaf = True
            for process in multiprocessing.active_children():
                process.terminate()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def leave() -> NoReturn:
    """End what this process of a crew does; it begins nothing else."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit


def leave_if_told() -> None:
    """Begin nothing where this process has been told to leave: work is handed out before it is wanted."""
    if signal.getsignal(signal.SIGTERM) is signal.SIG_IGN:
        leave()


def _join(chief: int) -> None:
    """The first that a process of a crew does: signals to all are for the chief to decide on, SIGTERM is for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _told)
    end_with_parent(chief)


def _told(number: int, frame: FrameType | None) -> None:
    leave()
