"""Ends a forked process together with its parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that this process gets when its parent ends."""


def end_with_parent(parent: int) -> None:
    """Have this process killed when its parent ends (Linux); elsewhere the cleaner alone does it."""
    if sys.platform.startswith("linux"):
        libc = ctypes.CDLL(None)  # what this process has loaded; a search by name would run a program at every fork
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
