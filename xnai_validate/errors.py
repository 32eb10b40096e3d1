"""The few exceptions of xnai-validate; each carries a sentence for the user and, where known, how to go on."""

from __future__ import annotations


class XnaiError(Exception):
    """An error that is shown to the user as one sentence, never as a traceback."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class ConfigError(XnaiError):
    """The command line, a profile or a suite is wrong; nothing was touched (exit 2)."""


class RegistryError(ConfigError):
    """A kind of check or fault is unknown, provided twice, or cannot be loaded."""


class Unmeasurable(XnaiError):
    """A checker could not measure: the tool does not know (status error)."""


class ToolLate(Unmeasurable):
    """A time limit is broken, and this tool was itself late: the stack may have kept it."""


class FaultLimitReached(Unmeasurable):
    """A fault was reverted at its own time limit, before the measurement under it was at its end."""


class NotApplicable(XnaiError):
    """What is asked for does not exist on this stack (status skip, with the reason)."""


class Gone(XnaiError):
    """What was disturbed has ended, and the fault with it: no change is left to undo."""


class NotUndone(XnaiError):
    """A fault may still be in force; outranks everything else (exit 4)."""


class StackDisturbed(NotUndone):
    """A fault of another run that still goes on is in force, and that run reverts it."""
