"""The recipes that profiles use: each use is a suite of its own, `<target>/<recipe>`, with its parameters filled in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pydantic import TypeAdapter, ValidationError

from xnai_validate.config.compile.profile_chain import Profile
from xnai_validate.config.compile.variables.interpolation import Interpolator
from xnai_validate.config.files.recipe import ParamEntry, RecipeUse
from xnai_validate.config.locate import Library
from xnai_validate.config.search_path import bundled_root
from xnai_validate.config.yaml_files.document import Source
from xnai_validate.config.yaml_files.problems import Problems, Where
from xnai_validate.config.yaml_files.validation_messages import field_errors
from xnai_validate.kit import FROM_FILE
from xnai_validate.model.json import JsonObject, JsonValue
from xnai_validate.model.suggestions import did_you_mean
from xnai_validate.model.units import duration_s

PARAMS = "params"
"""The key of a recipe's parameters, and the var by which its checks refer to them."""
_PARAM = TypeAdapter(ParamEntry)


@dataclass(frozen=True, slots=True)
class PlacedUse:
    """The use of a recipe, and where a profile has it."""

    use: RecipeUse
    where: Where


@dataclass(frozen=True, slots=True)
class FilledRecipe:
    """The file of a recipe, for one use: its checks are read with these values."""

    source: Source
    interpolator: Interpolator
    target: str


@dataclass(slots=True)
class Recipes:
    """The uses of recipes in the profiles of a run, by the name of the suite that each makes."""

    library: Library
    problems: Problems
    uses: dict[str, PlacedUse] = field(default_factory=dict)

    def add(self, profiles: Iterable[Profile]) -> None:
        """Note every use in these profiles; it replaces that of an earlier profile, or a bundled suite, of its name."""
        for profile in profiles:
            here: set[str] = set()
            for index, item in enumerate(profile.file.suites):
                if not isinstance(item, RecipeUse):
                    continue
                where = profile.where.at("suites", index)
                file = self.library.suites.get(item.suite)
                is_own = file is not None and not file.path.is_relative_to(bundled_root())
                if item.suite in here or is_own:
                    also = "used twice" if item.suite in here else "also a suite in a file"
                    self.problems.at(where, f"{item.suite} is {also}", "give this use a name: `as: NAME`")
                here.add(item.suite)
                self.uses[item.suite] = PlacedUse(item, where)

    def filled(self, name: str, interpolator: Interpolator) -> FilledRecipe | None:
        """The recipe of a use, with its values; None if it cannot be read. Errors are noted."""
        placed = self.uses[name]
        use, where = placed.use, placed.where
        file = self.library.recipes.get(use.recipe)
        if file is None:
            hint = did_you_mean(use.recipe, self.library.recipes) or "xnai-validate list recipes shows all"
            self.problems.at(where.at("recipe"), f'unknown recipe "{use.recipe}"', hint)
            return None
        source = self.library.read(file)
        if source is None:
            return None
        params = read_params(source, self.problems)
        if params is None:
            return None
        values = self._fill_parameters(params, use, where.at("with"))
        # The list of checks is emptied while it is read, and other uses of the recipe read it too.
        own = interpolator.with_values(PARAMS, values, Where(source, (PARAMS,)))
        return FilledRecipe(source.copy(), own, use.target)

    def _fill_parameters(self, params: Mapping[str, ParamEntry], use: RecipeUse, where: Where) -> JsonObject:
        """Return the value of each parameter: that of the use, else its default. Unknown and unfit ones are errors."""
        values: JsonObject = {name: param.default for name, param in params.items()}
        for name, value in use.with_.items():
            param, place = params.get(name), where.at(name)
            if param is None:
                hint = did_you_mean(name, params) or f"xnai-validate explain {use.recipe} shows its parameters"
                self.problems.at(place, f'unknown parameter "{name}" of the recipe {use.recipe}', hint, key=True)
            elif not fits(param.type, value):
                self.problems.at(place, f"{name} of the recipe {use.recipe} is a {param.type}", param.doc)
            else:
                values[name] = value
        return values


def read_params(source: Source, problems: Problems) -> dict[str, ParamEntry] | None:
    """The parameters of a recipe; None if they have errors, which are noted."""
    raw = source.value.get(PARAMS, {}) if isinstance(source.value, dict) else {}
    params: dict[str, ParamEntry] = {}
    for name, value in (raw if isinstance(raw, dict) else {}).items():
        where = Where(source, (PARAMS, name))
        try:
            param = _PARAM.validate_python(value, context=FROM_FILE)
        except ValidationError as error:
            problems.extend_at(where, field_errors(error, value, ParamEntry, "a parameter"))
            continue
        if fits(param.type, param.default):
            params[name] = param
        else:
            problems.at(where.at("default"), f"the default of {name} is not of type {param.type}")
    return params if len(params) == len(raw if isinstance(raw, dict) else ()) else None


def fits(type_: str, value: JsonValue) -> bool:
    """Whether a value is of the type of a parameter; null fits every type."""
    if value is None:
        return True
    match type_:
        case "text":
            return isinstance(value, str | int | float) and not isinstance(value, bool)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case "duration":
            return _is_duration(value)
        case "list":
            return isinstance(value, list)
        case _:
            return isinstance(value, dict)


def _is_duration(value: JsonValue) -> bool:
    """Whether a value is a text such as `5s`."""
    try:
        return isinstance(value, str) and duration_s(value) >= 0
    except ValueError:
        return False
