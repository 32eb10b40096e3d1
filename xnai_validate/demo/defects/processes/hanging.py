"""Parts that accept connections and never answer."""

from __future__ import annotations

import signal
from collections.abc import Callable

from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.processes.parts import Part
from xnai_validate.demo.processes.supervision.child import Ready, Sockets, run_part
from xnai_validate.demo.settings import Settings

RunPart = Callable[[Part, Settings, Sockets, Ready], None]


def hang(defect: Defect, name: str) -> Defect:
    """Let a part only listen: the kernel completes connections, and no process reads from them."""

    @defect.wraps(run_part)
    def hanging(original: RunPart, /, part: Part, settings: Settings, sockets: Sockets, ready: Ready) -> None:
        if part.name == name:
            ready()
            signal.pause()
        original(part, settings, sockets, ready)

    return defect


HANGING = (
    hang(
        Defect(
            "api-hangs",
            "The API accepts connections and never answers.",
            checks=("services/answers:api", "services/answers:metrics-served"),
        ),
        "api",
    ),
    hang(
        Defect(
            "gateway-hangs",
            "The gateway accepts connections and never answers.",
            checks=("services/answers:gateway",),
        ),
        "gateway",
    ),
    hang(
        Defect(
            "llm-hangs", "The model server accepts connections and never answers.", checks=("services/answers:llm",)
        ),
        "llm",
    ),
    hang(
        Defect(
            "ui-hangs", "The user interface accepts connections and never answers.", checks=("services/answers:ui",)
        ),
        "ui",
    ),
    hang(
        Defect(
            "docs-hangs",
            "The documentation server accepts connections and never answers.",
            checks=("services/answers:docs",),
        ),
        "docs",
    ),
    hang(
        Defect("vikunja-hangs", "Vikunja accepts connections and never answers.", checks=("services/answers:vikunja",)),
        "vikunja",
    ),
    hang(
        Defect(
            "voice-hangs",
            "The voice service accepts connections and never answers.",
            checks=("services/answers:voice",),
        ),
        "voice",
    ),
)
