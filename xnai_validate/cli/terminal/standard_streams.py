"""Standard streams that were closed before the program started."""

from __future__ import annotations

import os
import sys


def open_standard_streams() -> None:
    """Open closed standard streams on /dev/null.

    Otherwise the next file or socket would get descriptor 0, 1 or 2, and output meant for the terminal would go there.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            null = os.open(os.devnull, os.O_RDWR)
            if null != number:
                os.dup2(null, number)
                os.close(null)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
