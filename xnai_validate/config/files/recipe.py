"""The models of a recipe, `checks/recipes/<software>.yaml`, and of its use in a profile."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from xnai_validate.config.files.entry import Entry, Kebab
from xnai_validate.config.files.suite import CheckEntry, SuiteHead
from xnai_validate.model.json import JsonObject, JsonValue

ParamType = Literal["text", "number", "boolean", "duration", "list", "mapping"]


class ParamEntry(Entry):
    """A parameter of a recipe; its checks refer to it as `${params.NAME}`."""

    type: ParamType
    """`duration` is a text such as `500ms`."""
    default: JsonValue
    """Its value where a profile gives none; null: it has no value, and checks with `when` can depend on that."""
    doc: Annotated[str, Field(min_length=1)]
    """What it sets, in one sentence."""


class RecipeHead(SuiteHead):
    """A recipe without its checks."""

    software: Annotated[str, Field(min_length=1)]
    """The software and its versions whose documentation the checks follow."""
    tried: Annotated[str, Field(min_length=1)]
    """The versions that the recipe was run against, or that it was run against a stub of the documented interface."""
    params: dict[str, ParamEntry] = Field(default_factory=dict)


class RecipeFile(RecipeHead):
    """What one kind of software is worth checking for: a suite with parameters and without a target."""

    checks: Annotated[tuple[CheckEntry, ...], Field(min_length=1)]


class RecipeUse(Entry):
    """A recipe, applied to a target; its checks are called `<target>/<recipe>:<id>`."""

    recipe: str
    """The name of its file, such as `postgres`."""
    target: str
    """The part of the stack that its checks measure."""
    with_: JsonObject = Field(default_factory=dict, alias="with")
    """The values of its parameters that differ from the defaults."""
    as_: Kebab | None = Field(default=None, alias="as")
    """Replaces the recipe's name in the ids, where a target uses a recipe twice."""

    @property
    def suite(self) -> str:
        """The name of the suite that it makes: `<target>/<recipe>`."""
        return f"{self.target}/{self.as_ or self.recipe}"
