"""What the params of a check may contain besides values: observations (other measurements) and faults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import Field, JsonValue

from xnai_validate.kit.params import Params
from xnai_validate.model.json import JsonObject
from xnai_validate.model.judging.findings import Finding
from xnai_validate.model.judging.references import fill, is_template, references


class Observation(Params):
    """A measurement inside another check: its kind, target and parameters are verified when the profile is loaded."""

    kind: str
    """A kind of check, as in a suite."""
    target: str | None = None
    """The target of the measurement; by default that of the check."""
    with_: JsonObject = Field(default_factory=dict, alias="with")
    """The parameters of the kind."""
    expect: JsonObject | None = None
    """Rules of its facts, besides those of the kind."""
    if_configured: bool = False
    """Whether it is left out where its target is not configured, as one of several parts of the stack."""

    @cached_property
    def key(self) -> str:
        """The identity of the observation: equal observations have equal keys."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True)

    @property
    def facts_read(self) -> Mapping[tuple[str, ...], str]:
        """Where in this observation a fact is named besides its rules -> the name of the fact."""
        return {}


class Template(Observation):
    """An observation whose `with` and `expect` may refer to values that become known during the run, as `{{name}}`."""

    @cached_property
    def references(self) -> tuple[str, ...]:
        """The names that it refers to."""
        return references([self.with_, self.expect])

    @cached_property
    def is_template(self) -> bool:
        """Whether it contains references or escaped references."""
        return is_template([self.with_, self.expect])

    def fill(self, values: Mapping[str, JsonValue]) -> Observation:
        """Return the observation with its references replaced; raises KeyError if a value is missing."""
        raw = {"kind": self.kind, "target": self.target, "with": fill(self.with_, values)}
        return Observation.model_validate({**raw, "expect": fill(self.expect, values)})


class FaultEntry(Params):
    """A fault to inject for a while: verified when the profile is loaded, always reverted."""

    fault: str
    """A fault such as `redis.pause`; `xnai-validate list faults` has them all."""
    target: str | None = None
    """The target of the fault; by default that of the check."""
    with_: JsonObject = Field(default_factory=dict, alias="with")
    """The parameters of the fault."""
    if_configured: bool = False
    """Whether it is left out where its target is not configured."""

    @cached_property
    def key(self) -> str:
        """The identity of the entry: equal entries have equal keys."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True)


@dataclass(frozen=True, slots=True)
class Observed:
    """The facts of an observation, and its rules judged."""

    facts: Mapping[str, Any]
    """Fact name -> value."""
    findings: tuple[Finding, ...]

    @property
    def held(self) -> bool:
        """Whether every rule holds."""
        return all(finding.held for finding in self.findings)
