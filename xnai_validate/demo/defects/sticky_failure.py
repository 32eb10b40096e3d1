"""A failure that the workers of one stack never forget, once it has happened to one of them."""

from __future__ import annotations

from xnai_validate.demo.settings import Settings


class StickyFailure:
    """A flag that all processes of a stack share: a file in its run directory."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._path = settings.run_dir / f"failed-{name}"

    def set(self) -> None:
        """Record that it has happened."""
        self._path.touch()

    @property
    def is_set(self) -> bool:
        """Whether it ever happened."""
        return self._path.exists()
