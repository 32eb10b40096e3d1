"""How long driving a breaker takes."""

from __future__ import annotations

from collections.abc import Callable

from xnai_validate.checkers.breaker._models import BreakerParams
from xnai_validate.kit import Inner, Waits

DriveWaits = Callable[[BreakerParams, Inner], Waits]
ROUNDS = 4
"""How often at most a drive makes calls fail until the breaker opens."""


def drive_waits(name: str, *, recoveries: int = 1, back: bool = False) -> DriveWaits:
    """Return the function that computes the times of a drive.

    `recoveries`: how many recovery times it waits for. `back`: whether its params have `back`.
    """

    def waits(params: BreakerParams, inner: Inner) -> Waits:
        """Return how long driving the breaker takes, by its params and those of its calls."""
        call = inner(params.call)
        failing = inner(params.trip.request) if params.trip.request else call
        # A call that runs out of time does so at its service's own limit, of which its own is about the double.
        failed_s = failing.most_s / 2 if params.trip.fault else failing.usual_s
        planted = params.trip.planted is not None
        failures = 0 if planted else params.failures
        open_s = recoveries * (params.recovery + params.settle)
        back_s: float = getattr(params, "back", 0.0) if back else 0.0
        return Waits(
            usual_s=(failures + 1) * failed_s + open_s + 6 * call.usual_s,
            longest_s=params.recovery
            + params.patience
            + ROUNDS * failures * failing.most_s
            + recoveries * (params.recovery + params.patience)
            + back_s
            + 6 * call.most_s,
            held_s=failures * failing.most_s,
            shared=name,
        )

    return waits
