"""The validation errors of pydantic as messages for the user, each with the path of keys to its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from xnai_validate.config.yaml_files.document import Steps
from xnai_validate.model.secrets.excerpts import is_credential
from xnai_validate.model.suggestions import did_you_mean

DETAILS_CAP = 100
"""Errors of one value that are described; of more, only the number of the others."""
_EXPECTED = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "dict": "a mapping",
    "model": "a mapping",
    "mapping": "a mapping",
    "dataclass": "a mapping",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "frozen": "a list",
    "none": "nothing (null)",
}
_UNKNOWN_KEY = ("extra_forbidden", "unexpected_keyword_argument")
"""The errors of pydantic about a key that a model, or a dataclass, does not have."""
_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One error in a value."""

    steps: Steps
    message: str
    hint: str | None = None
    key: bool = False


@dataclass(frozen=True, slots=True)
class _Located:
    """A validation error and its place in the value."""

    error: ErrorDetails
    steps: Steps
    """The part of the location that exists in the value."""
    branch: int | None
    """The number of steps to the union of types that the error is about; None if it is about none."""


def field_errors(error: ValidationError, value: object, model: type[Any], what: str) -> tuple[FieldError, ...]:
    """Return the errors in `value`, an invalid `model`; `what` is its name for the user (`http.request`, `a check`)."""
    details = error.errors(include_url=False)
    located = [_locate(detail, value) for detail in details[:DETAILS_CAP]]
    errors: dict[FieldError, None] = {}
    for group in _group_unions(located):
        for each in _describe(group, model, what):
            errors[each] = None
    if len(details) > DETAILS_CAP:
        errors[FieldError((), f"{what} has {len(details) - DETAILS_CAP} more errors")] = None
    return tuple(errors)


def _locate(error: ErrorDetails, value: object) -> _Located:
    """Separate the location of an error into steps that exist in the value and the branches of unions."""
    steps: list[str | int] = []
    branch: int | None = None
    last = error["loc"][-1] if error["type"] == "missing" and error["loc"] else None
    for index, step in enumerate(error["loc"]):
        if _has_step(value, step):
            value = value[step]  # type: ignore[index]
        elif last is not None and index == len(error["loc"]) - 1:
            continue
        else:
            branch = len(steps) if branch is None else branch
            continue
        steps.append(step)
    return _Located(error, tuple(steps), branch)


def _has_step(value: object, step: str | int) -> bool:
    """Whether a list or mapping has the next step of a path."""
    if isinstance(value, list):
        return isinstance(step, int) and step < len(value)
    return isinstance(value, Mapping) and step in value


def _group_unions(located: list[_Located]) -> Iterator[list[_Located]]:
    """Yield the errors one by one, but those of the alternatives of a union together."""
    groups: dict[object, list[_Located]] = {}
    for index, problem in enumerate(located):
        groups.setdefault(index if problem.branch is None else problem.steps[: problem.branch], []).append(problem)
    yield from groups.values()


def _describe(group: list[_Located], model: type[Any], what: str) -> Iterator[FieldError]:
    """Describe errors about one place: if no alternative of a union fits at all, as one error that names all."""
    branch = group[0].branch
    if branch is None or len(group) == 1:
        yield from (_single(located, model, what) for located in group)
        return
    deep = [
        problem
        for problem in group
        if len(problem.steps) > branch or problem.error["type"] in ("missing", *_UNKNOWN_KEY)
    ]
    if deep:
        yield from (_single(located, model, what) for located in deep)
        return
    expected = list(dict.fromkeys(_describe_expected(problem.error) or _message(problem.error) for problem in group))
    name = _name(group[0].steps, what)
    yield FieldError(
        group[0].steps,
        f"{name} takes {' or '.join(expected)}, not {_shown_at(group[0].steps, group[0].error['input'])}",
    )


def _single(located: _Located, model: type[Any], what: str) -> FieldError:
    """Describe one error."""
    error, steps = located.error, located.steps
    kind = error["type"]
    if kind in _UNKNOWN_KEY:
        known = _names(model, steps[:-1])
        owner = what if len(steps) == 1 else _name(steps[:-1], what)
        return FieldError(steps, f'unknown key "{steps[-1]}" of {owner}', did_you_mean(str(steps[-1]), known), key=True)
    if kind == "missing":
        return FieldError(steps, f'{_name(steps, what)} needs "{error["loc"][-1]}"', key=True)
    expected = _describe_expected(error)
    if expected:
        return FieldError(
            steps, f"{_name(steps, what)} takes {expected}, not {_shown_at(steps, error['input'])}", _choice_hint(error)
        )
    return FieldError(steps, f"{_name(steps, what)}: {_message(error)}")


def _name(steps: Steps, what: str) -> str:
    """`timeout`, `json.query`, `calls[2].path`; the whole by its own name."""
    text = ""
    for step in steps:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text or what


def _describe_expected(error: ErrorDetails) -> str | None:
    """Return what a field takes, in words, where the kind of error shows it: `a whole number`, `at least 1`."""
    kind = error["type"]
    context = error.get("ctx", {})
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        bound = context[name]
        if isinstance(bound, int) and bound >= 2**20 and bound % 2**20 == 0:
            return f"{words} {bound // 2**20} MiB"
        return f"{words} {bound:g}"
    if kind in ("literal_error", "enum"):
        expected = context["expected"].replace("'", "")
        return f"one of {expected}" if " or " in expected else f"only {expected}"
    if kind == "int_from_float":
        return "a whole number"
    if kind in ("string_too_short", "too_short"):
        return f"at least {context['min_length']} of its kind" if context["min_length"] != 1 else "one or more"
    if kind in ("string_too_long", "too_long"):
        return f"at most {context['max_length']} of its kind"
    family, _, rest = kind.partition("_")
    return _EXPECTED.get(family) if rest in ("type", "parsing", "attributes_type", "set_type", "required") else None


def _choice_hint(error: ErrorDetails) -> str | None:
    """Return the nearest of the allowed values, for an error about a value that is not among them."""
    if error["type"] not in ("literal_error", "enum") or not isinstance(error["input"], str):
        return None
    expected = error.get("ctx", {})["expected"].replace(" or ", ", ").replace("'", "")
    return did_you_mean(error["input"], expected.split(", ")) if '"' not in expected else None


def _message(error: ErrorDetails) -> str:
    """The message of the validator that refused the value, or that of pydantic."""
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, Exception):
        return str(cause)
    return error["msg"][:1].lower() + error["msg"][1:]


def _shown_at(steps: Steps, value: object) -> str:
    """Return a value as `shown`; of a credential, by the name that it stands under, only the type."""
    name = next((step for step in reversed(steps) if isinstance(step, str)), "")
    if isinstance(value, str | int | float) and not isinstance(value, bool) and is_credential(name, str(value)):
        return "this text" if isinstance(value, str) else "a number"
    return shown(value)


def shown(value: object) -> str:
    """A value in a message: as YAML spells it, and short."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f'{text[:56]}..."'


def _names(model: type[Any], steps: Steps) -> set[str]:
    """The keys that are known at a path below a model."""
    models: list[type[Any]] = [model]
    for step in steps:
        if isinstance(step, int):
            continue
        inner = [field for model in models for field in _fields_of(model) if field[0] == step]
        # A key of a free mapping (such as the name of a target) leads to the models of its values, found already.
        models = [found for _, annotation in inner for found in models_in(annotation)] if inner else models
    return {name for model in models for name, _ in _fields_of(model)}


def _fields_of(model: type[Any]) -> Iterator[tuple[str, object]]:
    """Yield the name in YAML and the annotation of each field of a model or dataclass."""
    for name, field in model.__pydantic_fields__.items():  # of a model or a dataclass
        yield field.alias or name, field.annotation


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that values of a type may be or hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    else:
        for inner in get_args(annotation):
            yield from models_in(inner)
