"""How a command ended, wherever it ran."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RunError(StrEnum):
    """Why a command did not run to its end."""

    NOT_FOUND = "not_found"
    NOT_EXECUTABLE = "not_executable"
    TIMEOUT = "timeout"
    NO_CONTAINER = "no_container"
    NOT_RUNNING = "not_running"
    """The container does not run."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a command; all is None that was not reached."""

    error: RunError | None = None
    error_detail: str | None = None
    exit_code: int | None = None
    signal: str | None = None
    """The name of the signal that ended it."""
    stdout: bytes | None = None
    stderr: bytes | None = None
    truncated: bool | None = None
    """Whether more was written than is kept."""
    elapsed_ms: float | None = None
