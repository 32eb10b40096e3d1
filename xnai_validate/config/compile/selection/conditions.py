"""`when:` of a check: rules about the vars of the stack, judged when the profile is loaded."""

from __future__ import annotations

from dataclasses import dataclass

from xnai_validate.config.compile.variables.interpolation import Interpolator
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.model.json import JsonObject, JsonValue
from xnai_validate.model.judging.fact_types import JSON_TYPE
from xnai_validate.model.judging.findings import judge
from xnai_validate.model.judging.rules import Rule, parse_rules
from xnai_validate.model.secrets.names import looks_secret

_WORDS = {"min": "of at least", "max": "of at most", "in": "one of", "matches": "matching", "contains": "containing"}


@dataclass(frozen=True, slots=True)
class Conditions:
    """Judges the `when` of checks by the vars."""

    problems: Problems

    def skip_reason(self, when: JsonObject, interpolator: Interpolator, where: Where) -> str | None:
        """Why a check is not meant for this stack, with the vars of its suite; None if every condition holds."""
        reasons = [self._explain_unmet(name, spec, interpolator, where.at(name)) for name, spec in when.items()]
        if not reasons:
            self.problems.at(where, "when is empty", "leave it out, or name a var: {layout: B}", key=True)
        return next((reason for reason in reasons if reason is not None), None)

    def _explain_unmet(self, name: str, spec: JsonValue, interpolator: Interpolator, where: Where) -> str | None:
        """Judge the rules about one var; return why they do not hold, None if they do."""
        interpolator.referenced.add(name)
        value = interpolator.lookup(name, where)
        # Whatever the type of the var, a rule about a part of a JSON document fits it.
        rules, errors = parse_rules({name: {"$.value": spec}}, {name: JSON_TYPE}, kind="vars")
        for error in errors:
            self.problems.at(where.at(*error.path[2:]), error.message.replace(f"{name} $.value", name), error.hint)
        for rule, finding in zip(rules, judge(rules, {name: {"value": value}}), strict=True):
            if not finding.held:
                return _sentence(name, rule, value)
        return None


def _sentence(name: str, rule: Rule, value: JsonValue) -> str:
    """Describe why a condition that does not hold excludes a check: what it asks for, and what this stack has."""
    if rule.operator == "equals" and rule.operand in (None, ""):
        state = "not set" if rule.operand is None else "empty"
        if not rule.negated:
            return f"only where the var {name} is {state}"
        if name.startswith("params."):
            return f"needs the parameter {name.removeprefix('params.')}: give it under `with` of the recipe"
        return f"needs the var {name}, which is {state}: give it in the stack file or by --var {name}=..."
    words = [name.replace("_", " ")]
    if rule.negated:
        words.append("other than")
    if rule.of != "value":
        words.append(f"of {'an age' if rule.of == 'age' else 'a length'}")
    if rule.operator != "equals":
        words.append(_WORDS[rule.operator])
    operand = (
        ", ".join(map(_format_value, rule.operand)) if isinstance(rule.operand, list) else _format_value(rule.operand)
    )
    if isinstance(value, bool):
        return (
            f"only where the var {name} is {'not ' if rule.negated else ''}{operand}; here it is {_format_value(value)}"
        )
    if value is None:
        return f"for {' '.join(words)} {operand}; this stack does not set it"
    has = (
        "another" if looks_secret(name.rpartition(".")[2]) or isinstance(value, dict | list) else f"{words[0]} {value}"
    )
    return f"for {' '.join(words)} {operand}; this stack has {has}"


def _format_value(value: JsonValue) -> str:
    """Format a value as YAML has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
