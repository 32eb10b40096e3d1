"""Keeps what a worker does by order out of its log: libraries log urls and headers, and secrets may be among them."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from functools import cache
from typing import Any

BELOW_ALL = -1
"""A level that no handler takes: the lowest that one can have is NOTSET, which is 0."""
_IS_UNLOGGED: ContextVar[bool] = ContextVar("_IS_UNLOGGED", default=False)


def log_nothing() -> None:
    """Let no handler take the records that this thread, and the tasks that it makes, log from now on."""
    _install()
    _IS_UNLOGGED.set(True)


@cache
def _install() -> None:
    """Make the records of this process by a factory that gives those of such threads a level below all handlers.

    A filter would not do: those of a logger do not see what its children log, and handlers may be added later.
    """
    make_record = logging.getLogRecordFactory()

    def make(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make_record(*args, **kwargs)
        if _IS_UNLOGGED.get():
            record.levelno = BELOW_ALL
        return record

    logging.setLogRecordFactory(make)
