"""Which parts of a template cannot be validated at load: those that refer to a value that an earlier step captures."""

from __future__ import annotations

from functools import cache

from pydantic import BaseModel

from xnai_validate.config.yaml_files.document import Steps
from xnai_validate.config.yaml_files.validation_messages import models_in
from xnai_validate.kit import FaultEntry, Observation, Params
from xnai_validate.model.json import JsonValue
from xnai_validate.model.judging.references import is_template


def depends_on_reference(raw: JsonValue, steps: Steps, *, key: bool = False) -> bool:
    """Whether the value at `steps` in `raw` holds a reference; with `key`, whether its key does.

    Steps beyond what exists are ignored: then the innermost existing value counts.
    """
    last_key: JsonValue = None
    value = raw
    for step in steps:
        if isinstance(value, dict) and step in value:
            last_key, value = str(step), value[str(step)]
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            break
    return is_template(last_key) or (not key and is_template(value))


@cache
def contains_measurements(params: type[Params]) -> bool:
    """Whether such params may hold observations or disturbances."""
    return _has_observations(params, set())


def _has_observations(model: type[BaseModel], seen: set[type[BaseModel]]) -> bool:
    """Whether a model, or a model in its fields, has a field for a measurement or a fault."""
    seen.add(model)
    inner = {each for info in model.model_fields.values() for each in models_in(info.annotation)}
    return any(issubclass(each, Observation | FaultEntry) for each in inner) or any(
        _has_observations(each, seen) for each in inner - seen
    )
