"""What every declared value is: a pydantic model that cannot change and refuses unknown keys.

`FrozenModel` is the base of params, facts, undo records and the entries of files. Events and the parts of a report are
pydantic dataclasses with `FROZEN`: a run keeps thousands of them, and with slots each takes a quarter of the memory.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class FrozenModel(BaseModel):
    """A pydantic model that cannot change and refuses unknown keys.

    The text under a field is its description in schemas and in `xnai-validate explain` (`field_descriptions.py`).
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        defer_build=True,
        protected_namespaces=(),
    )


FROZEN = ConfigDict(extra="forbid", defer_build=True, populate_by_name=True, allow_inf_nan=False)
"""The configuration of pydantic dataclasses; `frozen` and `slots` are arguments of their decorator.

A time that is no finite number is refused: a report or journal of another program may hold one, which JSON has not.
"""
