"""Worker processes that run trials in parallel and end with the command, however it ends."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn, ParamSpec, TypeVar

from xnai_validate.cli.interrupts import interrupts
from xnai_validate.demo.processes.supervision.parent_death import end_with_parent

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def worker_pool(size: int) -> Iterator[ProcessPoolExecutor]:
    """Provide `size` worker processes for the block.

    If the block is left early, each worker ends its current trial, with its stack, before this returns. SIGTERM and
    SIGHUP leave the block early too: they raise KeyboardInterrupt. If this process is killed, the kernel kills the
    workers, and their stacks end with them.
    """
    # Fork, not a fork server: the workers must be direct children of this process, so that they die with it.
    context = multiprocessing.get_context("fork")
    with (
        interrupts() as handler,
        ProcessPoolExecutor(size, mp_context=context, initializer=_init_worker, initargs=(os.getpid(),)) as pool,
    ):
        try:
            yield pool
        except BaseException:
            handler.ignored = True
            for process in multiprocessing.active_children():
                process.terminate()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def exit_worker() -> NoReturn:
    """End this worker; it begins no other trial."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit


def run_cancellable(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Run a function in a worker; end the process if the worker is cancelled meanwhile, or was before.

    The pool would take SystemExit for a result and hand out the next trial: it does so before a worker is free for it.
    """
    if signal.getsignal(signal.SIGTERM) is signal.SIG_IGN:
        os._exit(0)
    try:
        return function(*arguments, **named)
    except SystemExit:
        os._exit(0)


def _init_worker(parent: int) -> None:
    """Prepare a worker: only the parent reacts to Ctrl-C and SIGHUP; it sends SIGTERM to its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _on_sigterm)
    end_with_parent(parent)


def _on_sigterm(number: int, frame: FrameType | None) -> None:
    """End this worker process."""
    exit_worker()
