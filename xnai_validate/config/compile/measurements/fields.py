"""Which fields of params hold other measurements, faults, the names of targets, or paths of files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar, get_args

from pydantic import BaseModel

from xnai_validate.config.yaml_files.document import Steps
from xnai_validate.config.yaml_files.validation_messages import models_in
from xnai_validate.kit import NamesFile, NamesTarget, Params
from xnai_validate.model.json import JsonValue


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
        (name, info.alias or name)
        for name, info in fields
        if _is_marked((info.annotation, *info.metadata), NamesTarget)
    )


@cache
def fields_with_files(params: type[Params]) -> tuple[str, ...]:
    """The keys of params whose value is the path of a file."""
    fields = params.model_fields.items()
    return tuple(
        info.alias or name for name, info in fields if _is_marked((info.annotation, *info.metadata), NamesFile)
    )


def _is_marked(parts: Iterable[object], marker: type[NamesFile | NamesTarget]) -> bool:
    """Whether an annotation, or a part of it, has a marker."""
    return any(isinstance(part, marker) or _is_marked(get_args(part), marker) for part in parts)


def with_whole_paths(params: type[Params], raw: JsonValue, folder: Path | None) -> JsonValue:
    """Params as they are written, with whole paths for relative ones: below `folder`, or the current directory.

    The current directory counts only where it has the file and the folder has none, and without a folder.
    """
    keys = [key for key in fields_with_files(params) if isinstance(raw, dict) and isinstance(raw.get(key), str)]
    if not keys or not isinstance(raw, dict):
        return raw
    return {**raw, **{key: _whole_path(str(raw[key]), folder) for key in keys}}


def _whole_path(path: str, folder: Path | None) -> str:
    """Return the whole path of a file; what is no path, as a url, stays as it is for the validation to refuse."""
    path = path.removeprefix("unix://")
    if not path or "\0" in path or "://" in path or "{{" in path:
        return path
    path = os.path.expanduser(path)
    here = os.path.abspath(path)
    below = here if folder is None else os.path.join(folder.absolute(), path)
    return below if os.path.exists(below) or not os.path.exists(here) else here


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
