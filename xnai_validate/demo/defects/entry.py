"""What the catalogue says of one defect."""

from __future__ import annotations

from dataclasses import dataclass

from xnai_validate.demo.settings import Layout


@dataclass(frozen=True, slots=True)
class Defect:
    """One way in which a stack is really broken, for the embedded stack to have on demand."""

    name: str
    """What `--defect` takes; lower case, words joined by hyphens."""
    says: str
    """One line: how such a stack is broken, as its users meet it."""
    checks: tuple[str, ...] = ()
    """Full ids of the bundled checks that must catch it."""
    awaits: str | None = None
    """The category of checks that will have to catch it, where that category has none yet."""
    layout: Layout | None = None
    """The only layout that can have it; None: both."""
