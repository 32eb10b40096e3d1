"""Which fields of params hold other measurements, faults or the names of targets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TypeVar, get_args

from pydantic import BaseModel

from xnai_validate.config.yaml_files.document import Steps
from xnai_validate.config.yaml_files.validation_messages import models_in
from xnai_validate.kit import NamesTarget, Params


@cache
def fields_with_models(params: type[Params]) -> tuple[tuple[str, str], ...]:
    """The fields of params, as (attribute, key), that may hold observations or disturbances: those of a model type."""
    fields = params.model_fields.items()
    return tuple((name, info.alias or name) for name, info in fields if any(models_in(info.annotation)))


@cache
def fields_with_targets(params: type[Params]) -> tuple[tuple[str, str], ...]:
    """The fields of params, as (attribute, key), whose value is the name of a target."""
    fields = params.model_fields.items()
    return tuple(
        (name, info.alias or name) for name, info in fields if _names_target((info.annotation, *info.metadata))
    )


def _names_target(parts: Iterable[object]) -> bool:
    """Whether an annotation, or a part of it, is marked as the name of a target."""
    return any(isinstance(part, NamesTarget) or _names_target(get_args(part)) for part in parts)


Model = TypeVar("Model", bound=BaseModel)


def models_of(value: object, steps: Steps, model: type[Model]) -> Iterator[tuple[Model, Steps]]:
    """The outermost models of a type in a value, with their steps; inner ones are found when these are compiled."""
    if isinstance(value, model):
        yield value, steps
    elif isinstance(value, BaseModel):
        for name, info in type(value).model_fields.items():
            yield from models_of(getattr(value, name), (*steps, info.alias or name), model)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from models_of(item, (*steps, str(key)), model)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from models_of(item, (*steps, index), model)
