"""Facts that a measurement never gives with its parameters: rules about them are errors of the file."""

from __future__ import annotations

from collections.abc import Iterable

from xnai_validate.config.yaml_files.document import Steps
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.kit import Checker, Needs, Params
from xnai_validate.model.json import JsonValue


def report_null_facts(
    facts: Iterable[tuple[Steps, str]],
    checker: Checker,
    params: Params,
    raw: JsonValue,
    where: Where,
    problems: Problems,
) -> bool:
    """Note an error for each fact that is always null with these params; return whether there is any.

    Args:
        facts: where a fact is named, below `where`, and its name.
        checker: the kind that measures them.
        params: its validated params, or those of a template, which lack what depends on a reference.
        raw: the params as they are written.
        where: the place of the measurement.
        problems: takes the errors.
    """
    any_null = False
    for steps, fact in facts:
        kind = checker.types.get(fact)
        if kind is None or kind.needs is None or _is_given(kind.needs, params, raw):
            continue
        any_null = True
        needs = kind.needs
        message = f'"{fact}" of {checker.kind} is always null here: it needs the parameter "{needs.param}"'
        least = f", above {needs.more_than:g}" if needs.more_than else ""
        hint = f'give "{needs.param}" under "with"{least}, or leave "{fact}" out'
        if needs.hint is not None:
            message, hint = f'"{fact}" of {checker.kind} is always null here', needs.hint
        problems.at(where.at(*steps), message, hint, key=True)
    return any_null


def _is_given(needs: Needs, params: Params, raw: JsonValue) -> bool:
    """Whether the parameter asks for the fact; one whose value depends on a reference may, so it counts as asking."""
    if isinstance(raw, dict) and needs.param in raw and needs.param not in params.model_fields_set:
        return True
    value = getattr(params, needs.param, None)
    if isinstance(value, int | float):
        return value > needs.more_than
    return value is not None and value not in ("", [], {})
