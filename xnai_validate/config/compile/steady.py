"""What must be as before after each fault: the observations of the profiles, compiled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from xnai_validate.config.compile.measurements.measurements import Measurements
from xnai_validate.config.compile.profile_chain import Profile
from xnai_validate.config.files.profile import SteadyObservation
from xnai_validate.config.yaml_files.problems import Where
from xnai_validate.kit import STEADY_WITHIN_S
from xnai_validate.plan import CompiledMeasurement, Steady


@dataclass(frozen=True, slots=True)
class SteadyState:
    """Compiles what profiles name under `steady`."""

    measurements: Measurements

    def of(self, profiles: Iterable[Profile]) -> Steady | None:
        """The observations of all profiles, later ones in place of those of the same name; None without any."""
        within_s = STEADY_WITHIN_S
        observations: dict[str, CompiledMeasurement] = {}
        calls: tuple[CompiledMeasurement, ...] = ()
        for profile in profiles:
            entry, where = profile.file.steady, profile.where.at("steady")
            within_s = entry.within if "within" in entry.model_fields_set else within_s
            for name, each in entry.observe.items():
                compiled = self._compile(each, where.at("observe", name))
                if compiled is not None:
                    observations[name] = compiled
            if entry.calls:
                found = [self._compile(each, where.at("calls", index)) for index, each in enumerate(entry.calls)]
                calls = tuple(call for call in found if call is not None)
        return Steady(observations, calls, within_s) if observations else None

    def _compile(self, entry: SteadyObservation, where: Where) -> CompiledMeasurement | None:
        """Compile one observation of a profile; None, with errors noted, if it is wrong."""
        return self.measurements.compile(entry.kind, entry.with_, entry.expect, None, entry.target, where)
