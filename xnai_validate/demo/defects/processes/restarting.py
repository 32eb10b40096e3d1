"""Parts that crash again and again, or that no supervisor restarts."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import FrameType

from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.processes.parts import Part
from xnai_validate.demo.processes.supervision.child import Ready, Sockets, run_part
from xnai_validate.demo.processes.supervision.supervisor import STATE, is_restarted
from xnai_validate.demo.settings import Settings

_AGAIN_S = 0.05


def _crash(defect: Defect, name: str, after_s: float) -> Defect:
    """Let a part crash a while after each time that it has become ready, but not before the whole stack is."""

    @defect.wraps(run_part)
    def crashing(
        original: Callable[[Part, Settings, Sockets, Ready], None],
        /,
        part: Part,
        settings: Settings,
        sockets: Sockets,
        ready: Ready,
    ) -> None:
        def crash(_number: int, _frame: FrameType | None) -> None:
            if (settings.run_dir / STATE).exists():
                os._exit(1)
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)

        def ready_to_crash() -> None:
            ready()
            signal.signal(signal.SIGALRM, crash)
            signal.setitimer(signal.ITIMER_REAL, after_s)

        original(part, settings, sockets, ready_to_crash if part.name == name else ready)

    return defect


API_CRASH_LOOP = _crash(
    Defect(
        "api-crash-loop",
        "The API dies a few seconds after each start and is started again.",
        checks=("resources/stack:api-alive",),
    ),
    "api",
    2.5,
)

WORKER_CRASH_LOOP = _crash(
    Defect(
        "worker-crash-loop",
        "The worker dies half a second after each start.",
        checks=("dependencies/chain:worker-alive",),
    ),
    "worker",
    0.5,
)


def _not_restarted(name: str, description: str, check: str) -> Defect:
    """A defect whose part, the first word of its name, stays away once it has ended."""
    defect = Defect(
        f"{name}-not-restarted",
        f"{description} has no restart policy: once it has crashed it stays away.",
        checks=(f"recovery/restart:{check}",),
    )

    @defect.wraps(is_restarted)
    def restarted_unless(original: Callable[[Part, int], bool], /, part: Part, exit_code: int) -> bool:
        return part.name != name and original(part, exit_code)

    return defect


NOT_RESTARTED = (
    _not_restarted("api", "The API", "api"),
    _not_restarted("llm", "The model server", "model"),
    _not_restarted("redis", "Redis", "redis"),
    _not_restarted("gateway", "The gateway", "gateway"),
    _not_restarted("ui", "The user interface", "ui"),
    _not_restarted("docs", "The documentation server", "docs"),
    _not_restarted("vikunja", "Vikunja", "vikunja"),
    _not_restarted("voice", "The voice service", "voice"),
)

ON_FAILURE_ONLY = Defect(
    "restarted-on-failure-only",
    "A part that ends in good order is not started again, as with `restart: on-failure`.",
    checks=("recovery/restart:api-asked-to-end",),
)


@ON_FAILURE_ONLY.wraps(is_restarted)
def restarted_after_failure(original: Callable[[Part, int], bool], /, part: Part, exit_code: int) -> bool:
    """Whether a part is started again: only if it ended with an error."""
    return exit_code != 0 and original(part, exit_code)
