"""How a report is to look: the width, colour and signs of the place it is shown in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Detail = Literal["quiet", "normal", "verbose"]


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run of the same profiles, as the trend shows it."""

    started_at: str
    """ISO 8601, UTC."""
    elapsed_ms: float
    verdict: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class View:
    """How a report is to look, and what is known of it only when it is shown."""

    width: int = 80
    """Columns; text is wrapped to it, never cut."""
    color: bool = False
    unicode: bool = True
    """Whether the place can show signs beyond ASCII."""
    detail: Detail = "normal"
    """quiet: what is wrong and the verdict; normal: counts as well; verbose: every check."""
    written: tuple[str, ...] = ()
    """Files that the report was written to."""
    broken: tuple[str, ...] = ()
    """Reporters that could not do their work, each with its reason."""
    trend: tuple[PastRun, ...] = ()
    """The last runs, the newest last, this one included; empty if they are not known."""
