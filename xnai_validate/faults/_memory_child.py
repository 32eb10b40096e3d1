"""The child that holds memory: `--injection=ID PERCENT MOST`. It ends when its input closes."""

from __future__ import annotations

import mmap
import select
import sys
from contextlib import suppress

from xnai_validate.faults._host_memory import HostMemory

PIECE = 8 << 20
"""Bytes that are taken at once, before the host's memory is read again."""
POLL_S = 0.2
"""Between two readings once enough is in use."""


def main(percent: float, most: int) -> None:
    """Allocate memory until `percent` of the host's is in use, print how many bytes that took, and keep that level."""
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("1000")  # if memory runs out, the kernel ends this process first
    pieces: list[mmap.mmap] = []
    ready = False
    while not _input_closed(POLL_S if ready else 0):
        missing = HostMemory.read().bytes_until(percent)
        while missing < -PIECE and pieces:
            pieces.pop().close()
            missing += PIECE
        if missing > 0 and len(pieces) * PIECE < most:
            pieces.append(_take_piece())
        elif not ready:
            sys.stdout.write(f"{len(pieces) * PIECE}\n")
            sys.stdout.flush()
            ready = True


def _take_piece() -> mmap.mmap:
    """Map memory and write to each page of it, so that the kernel really provides it."""
    piece = mmap.mmap(-1, PIECE)
    page = mmap.PAGESIZE
    for at in range(0, PIECE, page):
        piece[at] = 1
    return piece


def _input_closed(wait_s: float) -> bool:
    """Whether the input closes, or anything arrives on it, within a time."""
    return bool(select.select([0], [], [], wait_s)[0])


if __name__ == "__main__":
    main(float(sys.argv[2]), int(sys.argv[3]))
