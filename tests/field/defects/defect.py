"""What a defect is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Defect:
    """A change of behaviour of one part.

    Attributes:
        name: The name on the command line; its first word is the area.
        promise: The promise in contracts/ that the stack breaks by it.
        text: What the stack then does, in one sentence.
        bring_in: Changes the modules of the part before it starts.
        part: The process that it is in.
        layout: The layout in which it shows.
    """

    name: str
    promise: str
    text: str
    bring_in: Callable[[], None]
    part: str = "api"
    layout: str = "A"


def put(owner: object, name: str, value: object) -> None:
    """Put a changed function or class in the place of a healthy one."""
    assert hasattr(owner, name)
    setattr(owner, name, value)
