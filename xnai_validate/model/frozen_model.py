"""The base of every declared value: params, facts, undo records, entries of files."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class FrozenModel(BaseModel):
    """A pydantic model that cannot change and refuses unknown keys.

    The text under a field is its description in schemas and in `xnai-validate explain`.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        defer_build=True,
        protected_namespaces=(),
        use_attribute_docstrings=True,
    )
