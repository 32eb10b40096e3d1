"""Compile the kind, params and rules of a check, as they are written, to a validated `CompiledMeasurement`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

from pydantic import ValidationError

from xnai_validate import registry
from xnai_validate.config.compile.measurements.fields import (
    fields_with_files,
    fields_with_models,
    fields_with_targets,
    models_of,
    with_whole_paths,
)
from xnai_validate.config.compile.measurements.json_schemas import schemas_in
from xnai_validate.config.compile.measurements.needed_params import report_null_facts
from xnai_validate.config.compile.measurements.spelled_params import respelled
from xnai_validate.config.compile.measurements.templates import contains_measurements, depends_on_reference
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.config.yaml_files.validation_messages import field_errors
from xnai_validate.errors import RegistryError
from xnai_validate.kit import FROM_FILE, Checker, Fault, FaultEntry, Observation, Params, Template
from xnai_validate.model.json import JsonObject, JsonValue
from xnai_validate.model.judging.rules import Level, Rule, parse_rules
from xnai_validate.model.secrets.credentials import secrets_in
from xnai_validate.model.secrets.names import looks_secret
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.plan import NOTHING, CompiledMeasurement, PlannedFault

RulesByFact = dict[str, tuple[Rule, ...]]
_NO_RULES: RulesByFact = {}
CACHE_CAP = 1000
"""Entries of each cache of rules: checks with equal rules share one copy of them."""


@dataclass(slots=True)
class Measurements:
    """Compiles measurements; notes errors in `problems`, and the secrets that it finds in params."""

    problems: Problems
    targets: frozenset[str]
    """The names of all targets."""
    secrets: set[str]
    """Filled with the secrets of all params, so that reports mask them."""
    folder: Path | None = None
    """The folder of the profile, at which relative paths in params begin."""
    named_targets: set[str] = field(default_factory=set)
    """The targets that measurements name."""
    _checkers: dict[str, Checker | RegistryError] = field(default_factory=dict)
    _parsed: dict[tuple[str, Level, str], RulesByFact] = field(default_factory=dict)
    """Cache: kind, level and text of a mapping of rules -> its parsed rules; a threshold applies to many checks."""
    _combined: dict[tuple[str, str, str], tuple[Rule, ...]] = field(default_factory=dict)
    """Cache: kind and text of `expect` and `warn` -> all rules of a check; most checks of a suite have equal ones."""

    def checker(self, kind: str, where: Where) -> Checker | None:
        """The checker of a kind; an unknown kind is noted as an error."""
        if kind not in self._checkers:
            try:
                self._checkers[kind] = registry.CHECKERS.get(kind)
            except RegistryError as error:
                self._checkers[kind] = error
        checker = self._checkers[kind]
        if isinstance(checker, RegistryError):
            self.problems.at(where, checker.message, checker.hint)
            return None
        return checker

    def compile(
        self,
        kind: str,
        params: JsonValue,
        expect: JsonObject | None,
        warn: JsonObject | None,
        target: str | None,
        where: Where,
        *,
        inner: bool = False,
        template: bool = False,
        tightened: RulesByFact = _NO_RULES,
    ) -> CompiledMeasurement | None:
        """The measurement written at `where`, under the keys of a check; None if it has errors.

        Args:
            kind: the kind of check.
            params: its `with`.
            expect: fact -> rule that must hold.
            warn: fact -> rule that should hold.
            target: the name of its target.
            where: the place of the mapping with these keys.
            inner: it is part of the params of another measurement, and needs no rules: its facts may only be read.
            template: it has references (`{{...}}`) whose values are known only at the time of the measurement; what
                depends on them is validated then.
            tightened: rules that replace those of `expect`, by fact.
        """
        checker = self.checker(kind, where.at("kind"))
        if checker is None:
            return None
        rules = self._rules(checker, expect, warn, where, inner, template)
        if rules is not None and tightened:
            rules = _tighten(rules, tightened)
        target_valid = self._target(checker.kind, checker.needs_target, target, where)
        if template and contains_measurements(checker.params):
            message = f"{kind} is made of other measurements, in which {{{{...}}}} cannot stand"
            self.problems.at(where.at("kind"), message)
            return None
        verified = self._params(checker.params, checker.kind, params, where.at("with"), template)
        if verified is None or rules is None or not target_valid:
            return None
        if not self._named_targets(verified, where.at("with")):
            return None
        if self._null_facts(checker, rules, verified, params, where):
            return None
        if not fields_with_models(checker.params):
            return CompiledMeasurement(checker, verified, rules, target)
        observations = _all_compiled(self._observations(verified, target, where.at("with")))
        disturbances = _all_compiled(self._disturbances(verified, target, where.at("with")))
        if observations is None or disturbances is None:
            return None
        return CompiledMeasurement(checker, verified, rules, target, observations or NOTHING, disturbances or NOTHING)

    def fault(self, disturbance: FaultEntry, target: str | None, where: Where) -> PlannedFault | None:
        """The fault of a disturbance written at `where`, by default of `target`; None if it has errors."""
        fault = self._find_fault(disturbance.fault, where.at("fault"))
        if fault is None:
            return None
        disturbed = disturbance.target or (target if fault.needs_target else None)
        target_valid = self._target(fault.name, fault.needs_target, disturbed, where)
        verified = self._params(fault.params, fault.name, disturbance.with_, where.at("with"))
        return PlannedFault(fault, verified, disturbed) if verified is not None and target_valid else None

    def _find_fault(self, name: str, where: Where) -> Fault | None:
        """Return the fault of this name; None, with an error noted, if it does not exist."""
        try:
            return registry.FAULTS.get(name)
        except RegistryError as error:
            self.problems.at(where, error.message, error.hint)
            return None

    def _target(self, owner: str, needed: bool, target: str | None, where: Where) -> bool:
        """Whether the target of `owner`, a kind or a fault, is known or not needed; notes an error where it is not."""
        if target is None:
            if needed:
                hint = f"known: {', '.join(sorted(self.targets))}" if 0 < len(self.targets) <= 20 else None
                self.problems.at(where, f"{owner} needs a target", hint, key=True)
            return not needed
        return self._verify_target_name(target, where.at("target"))

    def _named_targets(self, params: Params, where: Where) -> bool:
        """Whether the targets that params name are known; notes an error for each that is not."""
        named = ((getattr(params, name, None), key) for name, key in fields_with_targets(type(params)))
        return False not in [
            self._verify_target_name(target, where.at(key)) for target, key in named if target is not None
        ]

    def _verify_target_name(self, target: str, where: Where) -> bool:
        """Whether a target is defined; an error is noted if it is not."""
        self.named_targets.add(target)
        if target not in self.targets:
            hint = did_you_mean(target, self.targets) or "define it under targets of a profile, or with --target"
            self.problems.at(where, f'unknown target "{target}"', hint)
            return False
        return True

    def _params(
        self, model: type[Params], of: str, raw: JsonValue, where: Where, template: bool = False
    ) -> Params | None:
        """The validated params; None if they have errors. In a `template`, those that need a captured value may."""
        if _may_hold_secrets(raw):
            self.secrets.update(secrets_in(raw))
        if fields_with_files(model):
            raw = with_whole_paths(model, raw, self.folder)
        try:
            return model.model_validate(raw, context=FROM_FILE)
        except ValidationError as error:
            # A value of the environment such as 0123 was read as a number: a field that takes text gets it as spelled.
            spelled = respelled(raw, error)
            if spelled is not None:
                return self._params(model, of, spelled, where, template)
            errors = field_errors(error, raw, model, of)
            if template:
                errors = tuple(each for each in errors if not depends_on_reference(raw, each.steps, key=each.key))
            self.problems.extend_at(where, errors)
            # A template without other errors than its references: its params are made at the time of the measurement.
            return None if errors else model.model_construct()

    def _rules(
        self,
        checker: Checker,
        expect: JsonObject | None,
        warn: JsonObject | None,
        where: Where,
        inner: bool,
        template: bool,
    ) -> tuple[Rule, ...] | None:
        """The rules of the kind, replaced fact by fact by those of `expect`, then the rules of `warn`.

        A check needs a rule; an `inner` measurement, such as an observation, does not. `template`: see `_params`.
        """
        key = (checker.kind, _text_of(expect, where), _text_of(warn, where))
        if key in self._combined and not template:
            return self._combined[key]
        before = len(self.problems.found)
        for name, raw in (("expect", expect), ("warn", warn)):
            if raw is not None and not raw:
                self.problems.at(where.at(name), f"{name} is empty", _list_facts(checker), key=True)
        own = self.parse(checker, checker.expect, Where(None))
        expected = {**own, **self.parse(checker, expect or {}, where.at("expect"), template=template)}
        rules = [rule for of_fact in expected.values() for rule in of_fact]
        if warn:
            rules += [rule for of in self.parse(checker, warn, where.at("warn"), "warn").values() for rule in of]
        if len(self.problems.found) > before:
            return None
        if not rules and not inner:
            self.problems.at(where, "the check has no rules, so nothing could fail", _list_facts(checker), key=True)
            return None
        combined = tuple(rules)
        if not template and len(self._combined) < CACHE_CAP:
            self._combined[key] = combined
        return combined

    def parse(
        self,
        checker: Checker,
        raw: Mapping[str, JsonValue],
        where: Where,
        level: Level = "expect",
        *,
        template: bool = False,
    ) -> RulesByFact:
        """Return the rules of a mapping fact -> rule, by fact; note errors.

        `template`: values may be references that are filled in later, so nothing is cached.
        """
        if not raw:
            return {}
        key = (checker.kind, level, _text_of(raw, where))
        if key in self._parsed and not template:
            return self._parsed[key]
        rules, errors = parse_rules(
            raw,
            checker.types,
            kind=checker.kind,
            level=level,
            schemas=schemas_in(where.source.folder if where.source else None),
        )
        if template:
            errors = tuple(error for error in errors if not depends_on_reference(dict(raw), error.path))
        for error in errors:
            self.problems.at(where.at(*error.path), error.message, error.hint)
        parsed = _group_by_fact(rules)
        if not errors and not template and len(self._parsed) < CACHE_CAP:
            self._parsed[key] = parsed
        return parsed

    def _observations(
        self, params: Params, target: str | None, where: Where
    ) -> Iterator[tuple[str, CompiledMeasurement | None]]:
        """Every observation in the params, by its key; None for one that has errors."""
        for name, key in fields_with_models(type(params)):
            for observation, steps in models_of(getattr(params, name), (key,), Observation):
                compiled = self.compile(
                    observation.kind,
                    observation.with_,
                    observation.expect,
                    None,
                    observation.target or target,
                    where.at(*steps),
                    inner=True,
                    template=isinstance(observation, Template) and observation.is_template,
                )
                if compiled is not None:
                    self._verify_facts_read(observation, compiled, where.at(*steps))
                yield observation.key, compiled

    def _null_facts(
        self, checker: Checker, rules: Iterable[Rule], params: Params, raw: JsonValue, where: Where
    ) -> bool:
        """Whether rules are about facts that are always null, and expect a value; notes an error for each."""
        facts = {(r.level, r.fact): r.fact for r in rules if r.operand is not None and checker.types[r.fact].needs}
        return bool(facts) and report_null_facts(facts.items(), checker, params, raw, where, self.problems)

    def _verify_facts_read(self, observation: Observation, compiled: CompiledMeasurement, where: Where) -> None:
        """Note an error for each fact that another measurement reads and that this one does not measure."""
        checker = compiled.checker
        report_null_facts(
            observation.facts_read.items(), checker, compiled.params, observation.with_, where, self.problems
        )
        for steps, fact in observation.facts_read.items():
            if fact not in checker.types:
                hint = did_you_mean(fact, checker.types) or _list_facts(checker)
                self.problems.at(where.at(*steps), f'unknown fact "{fact}" of {checker.kind}', hint)

    def _disturbances(
        self, params: Params, target: str | None, where: Where
    ) -> Iterator[tuple[str, PlannedFault | None]]:
        """Every disturbance in the params, by its key; None for one that has errors."""
        for name, key in fields_with_models(type(params)):
            for disturbance, steps in models_of(getattr(params, name), (key,), FaultEntry):
                yield disturbance.key, self.fault(disturbance, target, where.at(*steps))


def _text_of(rules: Mapping[str, JsonValue] | None, where: Where) -> str:
    """Rules as a text, with the folder of the schemas that they name: the same text stands for the same rules."""
    text = repr(rules)
    return f"{text} {where.source.folder}" if where.source is not None and "'schema'" in text else text


Part = TypeVar("Part")


def _all_compiled(parts: Iterable[tuple[str, Part | None]]) -> dict[str, Part] | None:
    """Key -> part of a measurement; None if one of them has errors. All are compiled, so that every error is noted."""
    by_key = dict(parts)
    return None if None in by_key.values() else cast(dict[str, Part], by_key)


def _group_by_fact(rules: tuple[Rule, ...]) -> RulesByFact:
    """Group rules by their fact, in order."""
    grouped: RulesByFact = {}
    for rule in rules:
        grouped[rule.fact] = (*grouped.get(rule.fact, ()), rule)
    return grouped


def _tighten(rules: tuple[Rule, ...], tightened: RulesByFact) -> tuple[Rule, ...]:
    """Return the rules in which those of level `expect` are replaced, fact by fact, by tighter ones."""
    expect = _group_by_fact(tuple(rule for rule in rules if rule.level == "expect")) | tightened
    warn = (rule for rule in rules if rule.level == "warn")
    return (*(rule for of_fact in expect.values() for rule in of_fact), *warn)


def _list_facts(checker: Checker) -> str:
    """List the facts of a kind for the hint of an error."""
    return f"{checker.kind} measures {', '.join(list(checker.types)[:12])}"


def _may_hold_secrets(raw: JsonValue) -> bool:
    """Whether a mapping has an entry under a secret name, or one that may hold others: a list, a mapping, a form."""
    return isinstance(raw, dict) and any(
        isinstance(item, dict | list) or looks_secret(key) or (isinstance(item, str) and "=" in item)
        for key, item in raw.items()
    )
