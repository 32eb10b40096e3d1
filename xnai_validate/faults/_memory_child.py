"""The child that holds memory: `--injection=ID PERCENT MOST`. It ends when its input closes."""

from __future__ import annotations

import mmap
import select
import sys
from contextlib import suppress

from xnai_validate.faults._meminfo import read_meminfo

PIECE = 8 << 20
"""Bytes that are taken at once; then the host's memory is looked at again."""
EVERY_S = 0.2
"""Between two looks once enough is in use."""


def main(percent: float, most: int) -> None:
    """Take memory until so many percent are in use, say so, and keep it so."""
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("1000")  # where memory runs out, this goes first
    held: list[mmap.mmap] = []
    told = False
    while not _closed(EVERY_S if told else 0):
        missing = read_meminfo().until(percent)
        while missing < -PIECE and held:
            held.pop().close()
            missing += PIECE
        if missing > 0 and len(held) * PIECE < most:
            held.append(_taken())
        elif not told:
            sys.stdout.write(f"{len(held) * PIECE}\n")
            sys.stdout.flush()
            told = True


def _taken() -> mmap.mmap:
    """A piece of memory that is really there: every page of it was written to."""
    piece = mmap.mmap(-1, PIECE)
    page = mmap.PAGESIZE
    for at in range(0, PIECE, page):
        piece[at] = 1
    return piece


def _closed(wait_s: float) -> bool:
    """Whether the input is closed, or something came of it, within a time."""
    return bool(select.select([0], [], [], wait_s)[0])


if __name__ == "__main__":
    main(float(sys.argv[2]), int(sys.argv[3]))
