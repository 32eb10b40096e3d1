"""One step of a flow, as it is written and as it went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self

from xnai_validate.checkers.flow._capture import Capture
from xnai_validate.kit import NAME, Duration, Field, JsonObject, StringConstraints, Template, model_validator

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
Variable = Annotated[str, StringConstraints(pattern=f"^{NAME}$", max_length=60)]


class Step(Template):
    """A measurement within a flow, with rules of its own."""

    name: Name
    """What the step is called, in the time line and where it fails."""
    capture: dict[Variable, Capture] = Field(default_factory=dict, max_length=50)
    """Name -> what of the answer is kept under it for later steps."""
    together: bool = False
    """Whether the next step begins at once, while this one is under way."""
    within: Duration = 0.0
    """How long the step is made again until it holds; the attempt that is judged begins when this time is over."""
    every: Duration = 0.25
    """How long to wait between these attempts."""
    optional: bool = False
    """Whether it is passed over where this stack has not what it asks for; else the whole flow is."""
    go_on: bool = False
    """Whether the flow goes on where the step does not hold; else the steps after it are not made."""

    @property
    def facts_read(self) -> Mapping[tuple[str, ...], str]:
        """The facts that are captured from."""
        return {("capture", name): capture.source for name, capture in self.capture.items()}

    @model_validator(mode="after")
    def _verify_keep_events(self) -> Self:
        """Raise ValueError if an event is captured and none are kept."""
        if any(capture.sse for capture in self.capture.values()) and "keep_events" not in self.with_:
            raise ValueError("to capture an event, keep some: with: {keep_events: 100}")
        return self


@dataclass(frozen=True, slots=True)
class StepResult:
    """A step that was made, or was to be made, and how it went."""

    step: Step
    started_ms: float
    """From the beginning of the flow."""
    elapsed_ms: float
    held: bool | None
    """Whether its rules held; None if it was not made, or skipped because it does not apply."""
    reason: str | None = None
    """Why not, in words."""

    def line(self) -> JsonObject:
        """Return the entry of the step in the time line."""
        return {
            "name": self.step.name,
            "kind": self.step.kind,
            "started_ms": round(self.started_ms, 3),
            "elapsed_ms": round(self.elapsed_ms, 3),
            "held": self.held,
            "reason": self.reason,
        }
