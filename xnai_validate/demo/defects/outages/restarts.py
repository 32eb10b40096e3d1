"""An API that is up again after a crash, and of no use."""

from __future__ import annotations

from collections.abc import Callable

from xnai_validate.demo.api.failures import ModelError
from xnai_validate.demo.api.services import Services
from xnai_validate.demo.defects.answers.queries import before_query
from xnai_validate.demo.defects.defect import Defect
from xnai_validate.demo.defects.sticky_failure import StickyFailure
from xnai_validate.demo.processes.parts import Part
from xnai_validate.demo.processes.supervision.child import Ready, Sockets, run_part
from xnai_validate.demo.processes.supervision.supervisor import STATE
from xnai_validate.demo.settings import Settings


async def _refuse_after_restart(services: Services) -> None:
    """Raise ModelError if the API was started again since the start of the stack."""
    if StickyFailure(services.settings, "restart").is_set:
        raise ModelError("the model was loaded by hand the first time")


BACK_WITHOUT_ANSWERS = before_query(
    Defect(
        "api-back-without-answers",
        "An API that was started again reports that it is well, and answers no question.",
        checks=("recovery/restart:api",),
    ),
    _refuse_after_restart,
)


@BACK_WITHOUT_ANSWERS.wraps(run_part)
def remember_restart(
    original: Callable[[Part, Settings, Sockets, Ready], None],
    /,
    part: Part,
    settings: Settings,
    sockets: Sockets,
    ready: Ready,
) -> None:
    """Record it if the API starts after the stack was ready once."""
    if part.name == "api" and (settings.run_dir / STATE).exists():
        StickyFailure(settings, "restart").set()
    original(part, settings, sockets, ready)
