"""What of a measurement cannot be verified yet, for it has references to what an earlier step will capture."""

from __future__ import annotations

from functools import cache

from pydantic import BaseModel

from xnai_validate.config.yaml_files.document import Steps
from xnai_validate.config.yaml_files.validation_messages import models_in
from xnai_validate.kit import Disturbance, Observation, Params
from xnai_validate.model.json import JsonValue
from xnai_validate.model.judging.references import is_template


def is_open(raw: JsonValue, steps: Steps, *, key: bool = False) -> bool:
    """Whether what stands in `raw` at `steps` depends on a reference.

    With `key` the key itself is meant, not what stands under it. Steps that lead nowhere end at the last that does.
    """
    named: JsonValue = None
    value = raw
    for step in steps:
        if isinstance(value, dict) and step in value:
            named, value = str(step), value[str(step)]
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            break
    return is_template(named) or (not key and is_template(value))


@cache
def made_of_others(params: type[Params]) -> bool:
    """Whether such params may hold observations or disturbances."""
    return _holds_observations(params, set())


def _holds_observations(model: type[BaseModel], seen: set[type[BaseModel]]) -> bool:
    seen.add(model)
    inner = {one for info in model.model_fields.values() for one in models_in(info.annotation)}
    return any(issubclass(one, Observation | Disturbance) for one in inner) or any(
        _holds_observations(one, seen) for one in inner - seen
    )
