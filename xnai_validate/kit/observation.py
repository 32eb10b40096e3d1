"""What the params of a check may contain besides values: observations (other checks) and disturbances (faults)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import Field, JsonValue

from xnai_validate.kit.params import Params
from xnai_validate.model.json import JsonObject
from xnai_validate.model.judging.references import fill, is_template, references
from xnai_validate.model.judging.rules import Finding


class Observation(Params):
    """A measurement inside another check: its kind, target and parameters are verified when the profile is loaded."""

    kind: str
    """A kind of check, as in a suite."""
    target: str | None = None
    """The target of the measurement; by default that of the check it stands in."""
    with_: JsonObject = Field(default_factory=dict, alias="with")
    """The parameters of the kind."""
    expect: JsonObject | None = None
    """What must hold of its facts, besides what the kind expects by itself."""

    @cached_property
    def key(self) -> str:
        """The identity of the observation: equal observations have equal keys."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True)

    @property
    def facts_read(self) -> Mapping[tuple[str, ...], str]:
        """The facts of the kind that are read besides its rules: where each is named below this one -> its name."""
        return {}


class Template(Observation):
    """An observation in whose `with` and `expect` `{{name}}` stands for what is known only when it is made."""

    @cached_property
    def references(self) -> tuple[str, ...]:
        """The names that it refers to."""
        return references([self.with_, self.expect])

    @cached_property
    def is_template(self) -> bool:
        """Whether it differs from what it will be when it is made."""
        return is_template([self.with_, self.expect])

    def fill(self, values: Mapping[str, JsonValue]) -> Observation:
        """The observation as it is made with these values; raises KeyError where one is missing."""
        raw = {"kind": self.kind, "target": self.target, "with": fill(self.with_, values)}
        return Observation.model_validate({**raw, "expect": fill(self.expect, values)})


class FaultEntry(Params):
    """A fault that is in force for a while: verified when the profile is loaded, always taken back."""

    fault: str
    """A fault such as `redis.pause`; `xnai-validate list faults` has them all."""
    target: str | None = None
    """What is disturbed; by default the target of the check it stands in."""
    with_: JsonObject = Field(default_factory=dict, alias="with")
    """The parameters of the fault."""

    @cached_property
    def key(self) -> str:
        """The identity of the disturbance: equal disturbances have equal keys."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True)


@dataclass(frozen=True, slots=True)
class Observed:
    """What an observation measured, and its rules judged."""

    facts: Mapping[str, Any]
    """Fact name -> value."""
    findings: tuple[Finding, ...]

    @property
    def held(self) -> bool:
        """Whether every rule holds."""
        return all(finding.held for finding in self.findings)
