"""Where the recorded runs are, and how they are read."""

from __future__ import annotations

import lzma
from pathlib import Path

from xnai_validate.baseline.record import RecordedRun
from xnai_validate.baseline.store import parse

HERE = Path(__file__).parent
RECORDINGS = ("quiet", "calm", "busy")
"""Their names; see the package."""


def path_of(recording: str) -> Path:
    """The file of a recording."""
    return HERE / f"{recording}.json.xz"


def recorded_runs(recording: str) -> tuple[RecordedRun, ...]:
    """The runs of a recording. Raises ConfigError where it is damaged."""
    path = path_of(recording)
    return parse(lzma.decompress(path.read_bytes()), path).runs
